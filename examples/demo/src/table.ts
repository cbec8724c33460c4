import { styleText } from 'node:util';

/** What `styleText` understands. */
export type Style = Parameters<typeof styleText>[0];

/** Where the lines go; whether they are coloured depends on it, NO_COLOR and FORCE_COLOR. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** One column of a table whose rows are written as they come: widths are fixed beforehand. */
export interface Column<Row> {
  readonly title: string;
  readonly width: number;
  readonly align?: 'left' | 'right';
  readonly style?: Style;
  readonly text: (row: Row) => string;
}

/** A column as wide as its title and every text it will hold. */
export function fittedWidth(title: string, texts: readonly string[]): number {
  return Math.max(title.length, ...texts.map((text) => text.length));
}

/** The titles, as a line. */
export function titleLine<Row>(columns: readonly Column<Row>[], output: Output): string {
  return paint('dim', `  ${columns.map((column) => fit(column.title, column)).join('  ')}`.trimEnd(), output);
}

/** One row as a line: a tick or a cross, then its columns. */
export function rowLine<Row extends { readonly ok: boolean }>(row: Row, columns: readonly Column<Row>[], output: Output): string {
  const mark = row.ok ? paint('green', '✔', output) : paint('red', '✘', output);
  const cells = columns.map((column) => paint(row.ok ? column.style : 'red', fit(column.text(row), column), output));
  return `${mark} ${cells.join('  ')}`.trimEnd();
}

/** `text` in lines of at most `width`, each indented by two. Words are not broken. */
export function paragraph(text: string, width: number): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

/** `text` in a style, where `output` shows styles. */
export function paint(style: Style | undefined, text: string, output: Output): string {
  return style === undefined ? text : styleText(style, text, { stream: output });
}

function fit(text: string, { width, align = 'left' }: Pick<Column<never>, 'width' | 'align'>): string {
  const short = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  return align === 'left' ? short.padEnd(width) : short.padStart(width);
}

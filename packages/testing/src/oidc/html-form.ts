/** A form of an HTML page, as far as {@link signIn} needs it. */
export interface HtmlForm {
  /** As it stands in the page: it may be relative or empty. */
  readonly action: string;
  readonly method: 'GET' | 'POST';
  /** In document order, buttons included. */
  readonly fields: readonly HtmlField[];
}

/** An input or a button. */
interface HtmlField {
  readonly type: string;
  readonly name: string;
  readonly value: string;
  readonly isChecked: boolean;
}

/** The first form of a page. Made for the well-formed pages of a test's own servers: no parser of HTML as it is found elsewhere. */
export function firstForm(html: string): HtmlForm | undefined {
  const [, head, content] = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(html) ?? [];
  if (head === undefined || content === undefined) return undefined;
  const { action = '', method = 'get' } = attributesOf(head);
  const controls = [...content.matchAll(/<(input|button)\b([^>]*)>/gi)].map(([, tag = '', text = '']) => fieldOf(tag, text));
  return { action, method: method.toLowerCase() === 'post' ? 'POST' : 'GET', fields: controls };
}

function fieldOf(tag: string, text: string): HtmlField {
  const { type, name = '', value = '', checked } = attributesOf(text.replace(/\/$/, ''));
  const isButton = tag.toLowerCase() === 'button';
  return { type: (type ?? (isButton ? 'submit' : 'text')).toLowerCase(), name, value, isChecked: checked !== undefined };
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)];
  return Object.fromEntries(pairs.map(([, name = '', ...values]) => [name.toLowerCase(), unescaped(values.find(Boolean) ?? '')]));
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal));
  });
}

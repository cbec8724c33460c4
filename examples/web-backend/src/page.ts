import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** What a browser gets: a page, or the way to another one. */
export type Answer = { readonly status: number; readonly page: string } | { readonly status: 303; readonly location: string };

/** A page with a title and some markup, which is made with {@link html}. */
export function page(status: number, title: string, markup: string): Answer {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">`;
  const body = `<title>${title}</title><style>${STYLE}</style><h1>${title}</h1>${markup}<p><a href="/">Home</a></p>`;
  return { status, page: `<!doctype html><html lang="en">${head}${body}</html>\n` };
}

/** The way to another page, by GET whatever the request was. */
export function redirect(location: string): Answer {
  return { status: 303, location };
}

/** Markup. What is put into it is text: names and answers of other servers are no markup. */
export function html(markup: TemplateStringsArray, ...texts: readonly string[]): string {
  return String.raw({ raw: markup }, ...texts.map((text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)));
}

/** Sends an answer that is for this browser alone: nobody keeps it, frames it, or runs anything in it. */
export function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { ...HEADERS, ...('location' in answer && { Location: answer.location }) });
  response.end('page' in answer ? answer.page : undefined);
}

const STYLE = ':root{color-scheme:light dark;font:1.1rem/1.5 system-ui}body{max-width:36rem;margin:3rem auto;padding:0 1rem}';

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  // No form-action: browsers hold the redirects after a form against it too, and those lead to the server.
  'Content-Security-Policy': `default-src 'none'; img-src data:; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'`,
  // Not no-referrer: browsers would post forms with `Origin: null` then.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

import { createHash } from 'node:crypto';

/** One page, as plain text. */
export interface CallbackMessage {
  /** A few words, also the title of the tab. */
  readonly heading: string;
  /** A sentence or two. */
  readonly text: string;
}

/** What the page in the browser says. */
export interface CallbackMessages {
  /** Language of the texts (BCP 47). Default `'en'`. */
  readonly language?: string | undefined;
  /** The tokens are there. */
  readonly signedIn?: CallbackMessage | undefined;
  /** The person, or the server, said no. */
  readonly refused?: CallbackMessage | undefined;
  /** The callback came, but no tokens. */
  readonly failed?: CallbackMessage | undefined;
  /** A callback of another sign-in: an old tab. */
  readonly unexpected?: CallbackMessage | undefined;
}

/** Which page. */
export type CallbackPage = keyof Omit<CallbackMessages, 'language'>;

/** A whole answer. */
export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A page that loads nothing, runs nothing and is kept by nobody. Nothing of the callback shows in it. */
export function callbackPage(page: CallbackPage, messages: CallbackMessages = {}): PageAnswer {
  const { status, color, icon, ...standard } = PAGES[page];
  const { heading, text } = messages[page] ?? standard;
  const language = messages[page] ? (messages.language ?? 'en') : 'en';
  const body = `<!doctype html>
<html lang="${escaped(language)}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escaped(heading)}</title>
<style>${STYLE}</style>
<main class="${color}">
<svg viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="22"/><path d="${icon}"/></svg>
<h1>${escaped(heading)}</h1>
<p>${escaped(text)}</p>
</main>
</html>
`;
  return { status, headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': POLICY }, body };
}

const CHECK = 'M15 25l6 6 12-13';
const CROSS = 'M17 17l14 14m0-14l-14 14';

const PAGES = {
  signedIn: {
    status: 200,
    color: 'good',
    icon: CHECK,
    heading: 'You are signed in',
    text: 'You can close this tab and go back to the terminal.',
  },
  refused: {
    status: 200,
    color: 'bad',
    icon: CROSS,
    heading: 'You are not signed in',
    text: 'The request was declined. The terminal says more; start again there if that was a mistake.',
  },
  failed: {
    status: 500,
    color: 'bad',
    icon: CROSS,
    heading: 'The sign-in failed',
    text: 'The terminal says what went wrong. Start again there.',
  },
  unexpected: {
    status: 400,
    color: 'bad',
    icon: CROSS,
    heading: 'This is another sign-in',
    text: 'The page belongs to a sign-in that is over. Go on in the tab that was opened last, or start again in the terminal.',
  },
} as const;

const STYLE = `
:root{font:1.0625rem/1.5 system-ui,sans-serif;color:#1c2024;background:#f4f5f7;--card:#fff;--quiet:#5b6470;--good:#1a7f4b;--bad:#b3372f}
body{margin:0;min-height:100vh;display:grid;place-items:center}
main{box-sizing:border-box;width:min(28rem,calc(100vw - 2rem));padding:2.5rem 2rem;border-radius:1rem;background:var(--card);text-align:center;box-shadow:0 1px 2px #0002,0 8px 24px #0001}
svg{width:3rem;fill:none;stroke:currentColor;stroke-width:3;stroke-linecap:round;stroke-linejoin:round}
.good svg{color:var(--good)}
.bad svg{color:var(--bad)}
h1{margin:1rem 0 .5rem;font-size:1.375rem;line-height:1.25}
p{margin:0;color:var(--quiet);text-wrap:balance}
@media (prefers-color-scheme:dark){:root{color:#eceef1;background:#14171a;--card:#1e2226;--quiet:#a4adb8;--good:#4cc38a;--bad:#f2857c}}
`;

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

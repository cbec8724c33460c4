import { percentEncode } from './apply-patch.ts';
import { foreignCause } from './foreign-cause.ts';

/** What stands where a secret was. */
const MASK = '[redacted]';
/** How much of a text is looked at. */
const READ_LIMIT = 10_000;

/**
 * Text of a server or a library made fit for a message: every known secret masked, in plain, percent-, form-, base64- and hex-encoded form (of UTF-8 and
 * Latin-1) and escaped as HTML and JSON are, control characters dropped, cut to `limit` characters.
 *
 * @param secrets Values that must not show. Ones shorter than four characters would mask ordinary text, so they are left.
 * @param limit Characters, default 200; never more than 10 000.
 */
export function redact(text: string, secrets: Iterable<string>, limit = 200): string {
  const spellings = [...new Set(Array.from(secrets, spellingsOf).flat())];
  const longest = spellings.reduce((length, spelling) => Math.max(length, spelling.length), 0);
  const read = text.slice(0, READ_LIMIT + longest);
  const masked = mask(read, spellings);
  // Where the text was cut, half a secret may stand at its end.
  const whole = read.length < text.length ? masked.slice(0, Math.max(masked.length - longest, 0)) : masked;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is dropped
  return mask(whole.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' '), spellings).slice(0, limit);
}

/** Every spelling of `secret` that a server or a library may echo: Basic credentials hold its form encoding, signatures its percent encoding. */
function spellingsOf(secret: string): string[] {
  if (secret.length < 4) return [];
  const component = encodeURIComponent(secret.toWellFormed());
  const percent = percentEncode(secret);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  const ascii = [component, component.replace(/%20/g, '+'), percent, form, percentEncode(percent), percentEncode(form)];
  const utf8 = Array.from(new TextEncoder().encode(secret), (byte) => String.fromCharCode(byte)).join('');
  // A question mark stands there for what Latin-1 does not have.
  const latin1 = Array.from(secret, (char) => (char > 'ÿ' ? '?' : char)).join('');
  const bytes = [...new Set([utf8, latin1, ...ascii])].flatMap(byteSpellings);
  return [secret, ...ascii, ...latin1Percent(latin1), ...escapes(secret), ...bytes].map(lowerCase);
}

function latin1Percent(latin1: string): string[] {
  const percent = (char: string): string => `%${hex(char.charCodeAt(0), 2)}`;
  return [/[^\w.~-]/g, /[^\w.~!'()*-]/g].flatMap((reserved) => {
    const text = latin1.replace(reserved, percent);
    return [text, text.replace(/%20/g, '+')];
  });
}

/** `secret` as templates and JSON encoders write it. They agree on `&`, `<`, `>` and the backslash, and on little else. */
function escapes(secret: string): string[] {
  const markup = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const html = QUOTES.map(([double, single]) => markup.replaceAll('"', double).replaceAll("'", single));
  const json = JSON.stringify(secret).slice(1, -1);
  const unicode = (text: string, unfit: RegExp): string => text.replace(unfit, (char) => `\\u${hex(char.charCodeAt(0), 4)}`);
  const ascii = unicode(json, /[^ -~]/g);
  const strict = unicode(secret.replaceAll('\\', '\\\\'), /["&'+<>`]|[^ -~]/g);
  return [...html, json, ascii, unicode(json, /[&<>]/g), strict, ...[json, ascii].map((text) => text.replaceAll('/', '\\/'))];
}

/** How templates write double and single quotes. */
const QUOTES = [
  ['"', "'"],
  ['&quot;', "'"],
  ['&quot;', '&#39;'],
  ['&quot;', '&#039;'],
  ['&quot;', '&#x27;'],
  ['&quot;', '&apos;'],
  ['&#34;', '&#39;'],
] as const;

/** In hex and base64; `bytes` has one character per byte. */
function byteSpellings(bytes: string): string[] {
  const base64 = [0, 1, 2].map((offset) => innerBase64(bytes, offset));
  const digits = Array.from(bytes, (byte) => hex(byte.charCodeAt(0), 2)).join('');
  return [digits, ...base64, ...base64.map((standard) => standard.replace(/\+/g, '-').replace(/\//g, '_'))];
}

/** What `bytes` look like within base64 when they begin at `offset` modulo 3: only the characters that no neighbour changes. */
function innerBase64(bytes: string, offset: number): string {
  const padded = '\0'.repeat(offset) + bytes;
  return btoa(padded).slice(Math.ceil((offset * 8) / 6), Math.floor((padded.length * 8) / 6));
}

function hex(code: number, length: number): string {
  return code.toString(16).padStart(length, '0');
}

/** `text` with all that belongs to one of `spellings` masked, overlapping ones as a whole. No patterns: the engine's errors about one quote it. */
function mask(text: string, spellings: readonly string[]): string {
  const searched = lowerCase(text);
  const isSecret = new Uint8Array(text.length);
  for (const spelling of spellings) {
    for (let at = searched.indexOf(spelling); at >= 0; at = searched.indexOf(spelling, at + 1)) isSecret.fill(1, at, at + spelling.length);
  }
  return Array.from(isSecret, (secret, at) => (secret ? (isSecret[at - 1] ? '' : MASK) : text[at])).join('');
}

/** Hex and percent-encoding come in both cases. ASCII only, so that no position moves. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** A foreign error made fit to be a `cause`, with every known secret masked in what is left of it. */
export function redactedCause(error: unknown, secrets: Iterable<string> = []): Error | undefined {
  const known = [...secrets];
  return foreignCause(error, (text) => redact(text, known));
}

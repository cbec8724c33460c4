import { percentEncode } from './apply-patch.ts';
import { foreignCause } from './foreign-cause.ts';

/** What stands where a secret was. */
const MASK = '[redacted]';
/** How much of a text is looked at. */
const READ_LIMIT = 10_000;

/**
 * Text of a server or a library made fit for a message: every known secret masked, in plain, percent-, form-, base64- and hex-encoded form, control
 * characters dropped, cut to 200 characters.
 *
 * @param secrets Values that must not show. Ones shorter than four characters would mask ordinary text, so they are left.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const spellings = [...new Set(Array.from(secrets, spellingsOf).flat())];
  const longest = spellings.reduce((length, spelling) => Math.max(length, spelling.length), 0);
  const read = text.slice(0, READ_LIMIT + longest);
  const masked = mask(read, spellings);
  // Where the text was cut, half a secret may stand at its end.
  const whole = read.length < text.length ? masked.slice(0, Math.max(masked.length - longest, 0)) : masked;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is dropped
  return mask(whole.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' '), spellings).slice(0, 200);
}

/** Every spelling of `secret` that a server or a library may echo: Basic credentials hold its form encoding, signatures its percent encoding. */
function spellingsOf(secret: string): string[] {
  if (secret.length < 4) return [];
  const component = encodeURIComponent(secret.toWellFormed());
  const percent = percentEncode(secret);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  const texts = new Set([secret, component, component.replace(/%20/g, '+'), percent, form, percentEncode(percent), percentEncode(form)]);
  return [...texts].flatMap((text) => [text, ...byteSpellings(text)].map(lowerCase));
}

function byteSpellings(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const base64 = [0, 1, 2].map((offset) => innerBase64(bytes, offset));
  return [hex, ...base64, ...base64.map((standard) => standard.replace(/\+/g, '-').replace(/\//g, '_'))];
}

/** What `bytes` look like within base64 when they begin at `offset` modulo 3: only the characters that no neighbour changes. */
function innerBase64(bytes: Uint8Array, offset: number): string {
  const padded = '\0'.repeat(offset) + Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(padded).slice(Math.ceil((offset * 8) / 6), Math.floor((padded.length * 8) / 6));
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

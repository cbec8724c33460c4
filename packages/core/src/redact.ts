/** What stands where a secret was. */
const MASK = '[redacted]';

/**
 * Text of a server or a library made fit for a message: every known secret masked, in plain, percent-, form-, base64- and hex-encoded form, control
 * characters dropped, cut to 200 characters.
 *
 * @param secrets Values that must not show. Ones shorter than four characters would mask ordinary text, so they are left.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  let clean = text.slice(0, 10_000);
  for (const secret of secrets) {
    if (secret.length < 4) continue;
    for (const form of encodings(secret)) clean = replaceEvery(clean, form);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is dropped
  return clean.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 200);
}

/** Longest first, so that no form leaves a piece of another behind. */
function encodings(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const percent = encodeURIComponent(secret.toWellFormed());
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const forms = [secret, percent, percent.replace(/%20/g, '+'), hex];
  for (const offset of [0, 1, 2]) {
    const base64 = innerBase64(bytes, offset);
    forms.push(base64, base64.replace(/\+/g, '-').replace(/\//g, '_'));
  }
  return [...new Set(forms)].filter((form) => form.length >= 4).sort((a, b) => b.length - a.length);
}

/** What `bytes` look like within base64 when they begin at `offset` modulo 3: only the characters that no neighbour changes. */
function innerBase64(bytes: Uint8Array, offset: number): string {
  const padded = `${'\0'.repeat(offset)}${String.fromCharCode(...bytes.subarray(0, 8_192))}`;
  return btoa(padded).slice(Math.ceil((offset * 8) / 6), Math.floor((padded.length * 8) / 6));
}

function replaceEvery(text: string, form: string): string {
  const pattern = form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return text.replace(new RegExp(pattern, 'gi'), MASK);
}

/**
 * A foreign error made fit to be a `cause`: its name, message (redacted) and short code, and nothing else. Client libraries hang requests, commands
 * and headers on their errors, and parsers and `Headers` quote what they refuse: of a SyntaxError or TypeError quoted text is left out.
 */
export function redactedCause(error: unknown, secrets: Iterable<string> = []): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const known = [...secrets];
  const quotesInput = error instanceof SyntaxError || error instanceof TypeError;
  const clean = new Error(redact(quotesInput ? error.message.replace(/["'`].*["'`]/s, '…') : error.message, known));
  clean.name = redact(error.name, known);
  clean.stack = `${clean.name}: ${clean.message}`;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') Object.assign(clean, { code: redact(code, known) });
  const inner = cause === error ? undefined : redactedCause(cause, known);
  if (inner) clean.cause = inner;
  return clean;
}

import { ConformanceError } from './expectation.ts';

/** How often one of `secrets` stands in `text`, in whatever spelling. */
export function sightings(text: string, secrets: readonly string[]): number {
  return secrets.reduce((sum, secret) => sum + Math.max(...spellings(secret).map((spelling) => text.split(spelling).length - 1)), 0);
}

/** @throws {ConformanceError} that says where, when a secret can be read in `value`: in a text of it, however deep, or in what it prints. */
export function expectNoSecret(value: unknown, secrets: readonly string[], what: string): void {
  for (const { where, text } of textsOf(value)) {
    if (sightings(text, secrets) > 0) throw new ConformanceError(`${what}: a secret can be read at ${redacted(where, secrets)}.`);
  }
}

/** Runs a case so that nothing it throws shows one of the secrets that are known by then. */
export async function redacting(secretsOf: () => readonly string[], run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const message =
      error instanceof Error ? `${error.name === 'ConformanceError' ? '' : `${error.name}: `}${error.message}` : String(error);
    throw new ConformanceError(redacted(message, secretsOf()));
  }
}

function redacted(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets.flatMap(spellings).sort((a, b) => b.length - a.length);
  return longestFirst.reduce((left, spelling) => left.replaceAll(spelling, '(secret)'), text);
}

/** A secret as it is, percent- and form-encoded, and each of these in hex and, at every alignment, in base64 and base64url. */
function spellings(secret: string): readonly string[] {
  const component = encodeURIComponent(secret);
  const strict = component.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  const texts = [...new Set([secret, component, strict, form, encodeURIComponent(strict)])];
  return texts.flatMap((text) => [text, ...byteSpellings(new TextEncoder().encode(text))]);
}

function byteSpellings(bytes: Uint8Array): readonly string[] {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = btoa('\0'.repeat(offset) + String.fromCharCode(...bytes)).replace(/=+$/, '');
    return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  return [hex, hex.toUpperCase(), ...base64, ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))];
}

/** Every text that can be reached through properties, hidden ones and the names themselves included, and what `value` prints. */
function textsOf(root: unknown): readonly { readonly where: string; readonly text: string }[] {
  const texts = [
    { where: 'String(…)', text: String(attempt(() => String(root))) },
    { where: 'JSON.stringify(…)', text: String(attempt(() => JSON.stringify(root))) },
  ];
  const seen = new Set<unknown>();
  const queue: { readonly value: unknown; readonly where: string }[] = [{ value: root, where: 'the value' }];
  for (const { value, where } of queue) {
    if (typeof value === 'string') texts.push({ where, text: value });
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) continue;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
      queue.push({ value: String(key), where: `a name in ${where}` });
      queue.push({ value: attempt(() => Reflect.get(value, key)), where: `${where}.${String(key)}` });
    }
    if (value instanceof Map || value instanceof Set) queue.push({ value: [...value], where: `entries of ${where}` });
  }
  return texts;
}

function attempt(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

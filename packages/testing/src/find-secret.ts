import { inspect } from 'node:util';
import { type SecretForm, type SecretSpelling, secretForms } from './secret-forms.ts';

/** One place where a secret can be read. */
export interface SecretSighting {
  readonly secret: string;
  readonly form: SecretForm;
  /** A path from the value, such as `error.cause.message`, or `inspect(value)`, `JSON.stringify(value)`, `String(value)`. */
  readonly where: string;
}

/**
 * Looks for secrets in a text or in any value, and returns every place where one can be read: an empty list is what a canary test wants.
 *
 * A value is searched deep: every own property, symbols and non-enumerable ones included (so `message`, `stack` and `cause` of errors), what
 * getters return or throw, entries of Maps, Sets and other iterables, bytes, and what `inspect` (hidden properties shown, any depth),
 * `JSON.stringify` and `String` make of it. Secrets are recognised in every spelling that {@link secretForms} lists.
 *
 * @example
 * ```ts
 * import { findSecret, plantSecret } from '@authseam/testing';
 *
 * const secret = plantSecret('token');
 * findSecret(new Error('failed', { cause: `Bearer ${secret}` }), [secret]); // [{ secret, form: 'plain', where: 'value.cause' }, …]
 * ```
 */
export function findSecret(value: unknown, secrets: readonly string[]): readonly SecretSighting[] {
  const wanted = secrets.map((secret) => ({ secret, spellings: secretForms(secret) }));
  const texts = typeof value === 'string' ? [{ where: 'value', text: value }] : [...propertyTexts(value), ...renderedTexts(value)];
  return texts.flatMap(({ where, text }) => wanted.flatMap(({ secret, spellings }) => sightings(text, spellings, secret, where)));
}

interface FoundText {
  readonly where: string;
  readonly text: string;
}

function sightings(text: string, spellings: readonly SecretSpelling[], secret: string, where: string): readonly SecretSighting[] {
  const forms = new Set(spellings.filter((spelling) => text.includes(spelling.text)).map(({ form }) => form));
  return [...forms].map((form) => ({ secret, form, where }));
}

/** Every string that can be reached from a value through properties and entries, each with its path. */
function propertyTexts(root: unknown): readonly FoundText[] {
  const texts: FoundText[] = [];
  const seen = new Set<unknown>();
  const queue: { readonly value: unknown; readonly where: string }[] = [{ value: root, where: 'value' }];
  for (const { value, where } of queue) {
    if (typeof value === 'string') texts.push({ where, text: value });
    if (typeof value === 'symbol') texts.push({ where, text: String(value) });
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
    seen.add(value);
    const bytes = bytesOf(value);
    if (bytes !== undefined) texts.push({ where, text: bytes.toString('utf8') }, { where, text: bytes.toString('latin1') });
    else queue.push(...members(value, where), ...entries(value, where));
  }
  return texts;
}

function members(value: object, where: string): readonly { readonly value: unknown; readonly where: string }[] {
  return Reflect.ownKeys(value).flatMap((key) => {
    const path = typeof key === 'symbol' ? `${where}[${String(key)}]` : `${where}.${key}`;
    return [
      { value: typeof key === 'symbol' ? key.description : key, where: `the name of ${path}` },
      { value: attempt(() => Reflect.get(value, key)), where: path },
    ];
  });
}

/** Entries of Maps, Sets, Headers, FormData, URLSearchParams; one-shot iterators are left alone, for reading would use them up. */
function entries(value: object, where: string): readonly { readonly value: unknown; readonly where: string }[] {
  const isReusable =
    value instanceof Map || value instanceof Set || (Symbol.iterator in value && 'forEach' in value && !Array.isArray(value));
  return isReusable ? [{ value: attempt(() => Array.from(value as Iterable<unknown>)), where: `entries of ${where}` }] : [];
}

function bytesOf(value: object): Buffer | undefined {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer ? Buffer.from(value) : undefined;
}

function renderedTexts(value: unknown): readonly FoundText[] {
  const everything = { showHidden: true, depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, breakLength: Infinity };
  const renderings: Readonly<Record<string, () => unknown>> = {
    'inspect(value)': () => inspect(value, everything),
    'inspect(value) without customInspect': () => inspect(value, { ...everything, customInspect: false, showProxy: true }),
    'JSON.stringify(value)': () => JSON.stringify(value),
    'String(value)': () => String(value),
  };
  return Object.entries(renderings).map(([where, render]) => ({ where, text: String(attempt(render)) }));
}

/** What a call returns, or what it throws: an error can give a secret away as well. */
function attempt(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

// RELIABILITY.md, "Secrets".
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foreignCause } from './foreign-cause.ts';
import { redact, redactedCause } from './redact.ts';

const SECRET = `hunter22 p(a)ss*w~rd+/é!'&<b>"\\`;

/** The characters of base64 that only `text` decides when `offset` bytes stand before it. */
function base64Inside(text: string, offset: number, encoding: BufferEncoding = 'utf8'): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text, encoding)]);
  return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
}

/** Encoders write a question mark for what Latin-1 does not have. */
const inLatin1 = (text: string) => Array.from(text, (char) => (char > 'ÿ' ? '?' : char)).join('');
const latin1 = (text: string) => Buffer.from(inLatin1(text), 'latin1');
const unicode = (text: string, unfit: RegExp) =>
  text.replace(unfit, (char) => `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`);
const json = (text: string) => JSON.stringify(text).slice(1, -1);
const html = (text: string, double: string, single: string) =>
  text.replace(/[&<>"']/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': double, "'": single })[char] ?? char);

const spellings: readonly (readonly [name: string, write: (text: string) => string])[] = [
  ['plain', (text) => text],
  ['percent-encoded', (text) => encodeURIComponent(text)],
  ['percent-encoded in lower case', (text) => encodeURIComponent(text).replace(/%../g, (triplet) => triplet.toLowerCase())],
  [
    'percent-encoded as RFC 3986 and OAuth 1 do',
    (text) => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`),
  ],
  ['form-encoded', (text) => new URLSearchParams([['', text]]).toString().slice(1)],
  ['percent-encoded with + for a space', (text) => encodeURIComponent(text).replace(/%20/g, '+')],
  [
    'percent-encoded in Latin-1',
    (text) =>
      latin1(text)
        .toString('latin1')
        .replace(/[^\w.~-]/g, (char) => `%${latin1(char).toString('hex')}`),
  ],
  ['hex', (text) => Buffer.from(text).toString('hex')],
  ['hex of Latin-1', (text) => latin1(text).toString('hex')],
  ['base64 of Latin-1', (text) => base64Inside(inLatin1(text), 1, 'latin1')],
  ['JSON', json],
  ['JSON, as Python and Java do', (text) => unicode(json(text), /[^ -~]/g)],
  ['JSON, as PHP does', (text) => unicode(json(text), /[^ -~]/g).replaceAll('/', '\\/')],
  ['JSON, as Go does', (text) => unicode(json(text), /[&<>]/g)],
  ['JSON, as .NET does', (text) => unicode(text.replaceAll('\\', '\\\\'), /["&'+<>`]|[^ -~]/g)],
  ['HTML', (text) => html(text, '&quot;', '&#39;')],
  ['HTML, as Django and React do', (text) => html(text, '&quot;', '&#x27;')],
  ['HTML, as PHP does', (text) => html(text, '&quot;', '&#039;')],
  ['HTML, as Go does', (text) => html(text, '&#34;', '&#39;')],
  ['HTML, quotes as they are', (text) => html(text, '"', "'")],
  ['XML', (text) => html(text, '&quot;', '&apos;')],
  ['hex in upper case', (text) => Buffer.from(text).toString('hex').toUpperCase()],
  ...[0, 1, 2].flatMap((offset) => [
    [`base64 after ${offset} bytes`, (text: string) => base64Inside(text, offset)] as const,
    [`base64url after ${offset} bytes`, (text: string) => base64Inside(text, offset).replaceAll('+', '-').replaceAll('/', '_')] as const,
    [
      `base64 of its form encoding after ${offset} bytes, as Basic credentials hold it (RFC 6749 §2.3.1)`,
      (text: string) => base64Inside(new URLSearchParams([['', text]]).toString().slice(1), offset),
    ] as const,
  ]),
];

describe('redact', () => {
  it.each(spellings)('masks a secret that is written %s', (_name, write) => {
    const written = write(SECRET);
    expect(redact(`before <${written}> and ${written} after`, [SECRET])).toBe('before <[redacted]> and [redacted] after');
  });

  it.each(spellings)('lets no secret of four characters or more survive %s', (_name, write) => {
    const secret = fc.string({
      unit: fc.oneof(fc.constantFrom(...'aZ09 +/=&%*~()!\'"\\$^.?[]{}|-_é日'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
      minLength: 4,
      maxLength: 24,
    });
    fc.assert(
      fc.property(secret, fc.string({ unit: fc.constantFrom(...'xyz: ,<>'), maxLength: 20 }), (text, around) => {
        const known = text.toWellFormed();
        fc.pre(known.length >= 4 && !'[redacted]'.includes(known) && !around.includes(known));
        const written = write(known);
        // Control characters become blanks, so what has any cannot be compared.
        fc.pre(!/\p{Cc}/u.test(written) && !`[redacted]${around}`.includes(written));
        expect(redact(around + written + around, [known])).not.toContain(written);
      }),
      { numRuns: 300 },
    );
  });

  it('masks a secret in a Basic header, whatever user name stands before it', () => {
    for (const user of ['', 'a', 'ab', 'abc', 'client-1']) {
      const header = `Basic ${Buffer.from(`${user}:${SECRET}`).toString('base64')}`;
      const clean = redact(header, [SECRET]);
      expect(clean).toContain('[redacted]');
      for (const offset of [0, 1, 2]) expect(clean).not.toContain(base64Inside(SECRET, offset).slice(2, 12));
    }
  });

  it('leaves no piece of a secret that begins with another', () => {
    expect(redact('token-12345678-tail', ['token-1234', 'token-12345678-tail'])).toBe('[redacted]');
    expect(redact('<ababab>', ['abab'])).toBe('<[redacted]>');
    expect(redact('<first-token-second>', ['first-token', 'token-second'])).toBe('<[redacted]>');
  });

  it('treats a secret as text, not as a pattern', () => {
    expect(redact('a.*+?^$(){}|[]\\/-b and aXXb', ['a.*+?^$(){}|[]\\/-b'])).toBe('[redacted] and aXXb');
  });

  it('leaves ones shorter than four characters, which would mask ordinary text', () => {
    expect(redact('the cat sat', ['', 'a', 'cat'])).toBe('the cat sat');
    expect(redact('the cats sat', ['cats'])).toBe('the [redacted] sat');
  });

  it('drops control characters and cuts to 200 characters', () => {
    expect(redact('a\r\n\tb\0\x1b[31mc\x7f\u0085d', [])).toBe('a b [31mc d');
    expect(redact('x'.repeat(500), [])).toHaveLength(200);
  });

  it.each([
    ['before the cut', `${'x'.repeat(195)}${SECRET}`],
    ['broken by a line break', SECRET.replace(' ', '\n')],
    ['over and over, as far as is read', `x${SECRET.repeat(5_000)}`],
  ])('shows no piece of a secret that stands %s', (_name, text) => {
    expect(redact(text, [SECRET])).not.toMatch(/hunt|ss\*|rd\+/);
  });

  it('shows no piece of a secret that is longer than what is read', () => {
    const long = Array.from({ length: 3_000 }, (_, index) => `part${index}`).join('.');
    for (const [, write] of spellings) expect(redact(`said: ${write(long)} and more`, [long])).toBe('said: [redacted] and more');
  });

  it('takes any iterable of secrets', () => {
    expect(redact('one-secret two-secret', new Set(['one-secret', 'two-secret']))).toBe('[redacted] [redacted]');
  });
});

/** Everything that can be read off an error. */
function readable(error: unknown): string {
  return [inspect(error, { showHidden: true, depth: Infinity }), JSON.stringify(error), String(error), (error as Error).stack].join('\n');
}

describe('redactedCause', () => {
  it('keeps name, message and code, redacted, and nothing else', () => {
    const foreign = Object.assign(new RangeError(`wrong: ${SECRET}`), {
      code: 'E_WRONG',
      name: `Name ${SECRET}`,
      command: { args: [SECRET] },
      config: { headers: { Authorization: SECRET } },
      [Symbol('hidden')]: SECRET,
    });
    Object.defineProperty(foreign, 'request', { value: { header: SECRET }, enumerable: false });
    const clean = redactedCause(foreign, [SECRET]);
    expect(clean).toBeInstanceOf(Error);
    expect({ name: clean?.name, message: clean?.message, code: (clean as { code?: unknown }).code }).toEqual({
      name: 'Name [redacted]',
      message: 'wrong: [redacted]',
      code: 'E_WRONG',
    });
    expect(Reflect.ownKeys(clean ?? {}).toSorted()).toEqual(['code', 'message', 'name', 'stack']);
    expect(readable(clean)).not.toContain('hunter22');
  });

  it('keeps no stack of its own: messages stand in stacks', () => {
    const foreign = new Error('plain');
    foreign.stack = `Error: ${SECRET}\n at x`;
    expect(redactedCause(foreign, [SECRET])?.stack).toBe('Error: plain');
  });

  it.each([
    ['JSON.parse', () => JSON.parse(`{"access_token": ${SECRET}}`)],
    ['Headers', () => new Headers({ Authorization: `Bearer ${SECRET}\n.` })],
    ['decodeURIComponent', () => decodeURIComponent(`${SECRET}%`)],
    ['URL', () => new URL(`//${SECRET}`)],
  ])('leaves out what %s quotes, known to be secret or not', (_name, call) => {
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    expect(readable(foreignCause(thrown))).not.toContain('hunter22');
  });

  it('cleans causes alike', () => {
    const inner = Object.assign(new Error(`inner ${SECRET}`), { code: 'ECONNRESET', args: SECRET });
    const clean = redactedCause(new TypeError('fetch failed', { cause: inner }), [SECRET]);
    expect(clean?.cause).toMatchObject({ message: 'inner [redacted]', code: 'ECONNRESET' });
    expect(readable(clean)).not.toContain('hunter22');
  });

  it.each([undefined, null, 'text', 42, { message: SECRET }])('makes nothing of %j, which is no error', (value) => {
    expect(redactedCause(value)).toBeUndefined();
    expect(redactedCause(new Error('outer', { cause: value }))?.cause).toBeUndefined();
  });

  it('ends with causes that form a circle', () => {
    const first = new Error('first');
    const second = new Error('second', { cause: first });
    first.cause = second;
    const itself = new Error('itself');
    itself.cause = itself;
    expect(redactedCause(first)?.message).toBe('first');
    expect(redactedCause(itself)?.message).toBe('itself');
  });

  it('does not fail on an error whose fields are no strings', () => {
    const odd = Object.assign(new Error('x'), { name: undefined, message: { secret: 1 }, code: 7 });
    expect(redactedCause(odd)).toBeInstanceOf(Error);
    expect(redactedCause(odd)).not.toHaveProperty('code');
  });

  it('shows no piece of a secret at the cut', () => {
    const foreign = new Error(`${'x'.repeat(190)}${SECRET}`);
    expect(readable(redactedCause(foreign, [SECRET]))).not.toContain('hunt');
  });
});

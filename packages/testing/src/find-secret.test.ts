import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { findSecret } from './find-secret.ts';
import { plantSecret } from './plant-secret.ts';

const secret = plantSecret('token');
const wheres = (value: unknown) => findSecret(value, [secret]).map(({ where }) => where);

test('planted secrets are unique, named, and legal in headers', () => {
  const planted = Array.from({ length: 100 }, () => plantSecret('client secret: ü'));
  expect(new Set(planted).size).toBe(100);
  for (const one of planted) expect(one).toMatch(/^client-secret-\+canary\/[0-9a-f]{32}~$/);
  expect(encodeURIComponent(secret)).not.toBe(secret);
});

test('clean values have no sightings', () => {
  expect(findSecret('nothing here', [secret])).toEqual([]);
  expect(findSecret(new Error('nothing', { cause: [{ a: new Map([[1, 'b']]) }] }), [secret, 'other-secret'])).toEqual([]);
  for (const value of [undefined, null, 0, 1n, Symbol('a'), () => 1, Object.create(null)]) expect(findSecret(value, [secret])).toEqual([]);
});

const spellings: Readonly<Record<string, string>> = {
  plain: secret,
  'percent-encoded': encodeURIComponent(secret),
  'percent-encoded in lower case': encodeURIComponent(secret).replace(/%../g, (triplet) => triplet.toLowerCase()),
  'double-encoded': encodeURIComponent(encodeURIComponent(secret)),
  base64: Buffer.from(secret).toString('base64'),
  'base64 after one byte': Buffer.from(`a${secret}`).toString('base64'),
  'base64 between others': Buffer.from(`ab${secret}cde`).toString('base64'),
  'base64url between others': Buffer.from(`id:${secret}é`).toString('base64url'),
  'Basic with form-encoded parts': Buffer.from(`id:${encodeURIComponent(secret)}`).toString('base64'),
  hex: Buffer.from(secret).toString('hex'),
  'hex in upper case': Buffer.from(secret).toString('hex').toUpperCase(),
};

for (const [name, spelling] of Object.entries(spellings)) {
  test(`finds ${name}`, () => {
    expect(findSecret(`before ${spelling} after`, ['another', secret])).not.toEqual([]);
    // base64url without - and _ is base64.
    const form = name.startsWith('base64') || name.startsWith('Basic') ? expect.stringMatching(/^base64/) : name.split(' ')[0];
    expect(findSecret(`before ${spelling} after`, [secret])[0]).toMatchObject({ secret, where: 'value', form });
  });
}

test('finds secrets of any characters', () => {
  for (const odd of ['1PpG/Q 1!', 'sécret&+% 雪', '"quoted" \\ back', "it's (so)*"]) {
    const forms = [new URLSearchParams({ s: odd }).toString(), encodeURIComponent(odd), Buffer.from(`x${odd}y`).toString('base64url'), odd];
    for (const form of forms) expect(findSecret(form, [odd])).not.toEqual([]);
    expect(findSecret({ deep: [odd] }, [odd]).map(({ where }) => where)).toContain('value.deep.0');
  }
});

test('finds secrets that templates, JSON encoders and Latin-1 have written', () => {
  const odd = 'sécret"&<canary>\'+/=\\';
  const writings: Readonly<Record<string, string>> = {
    'html-escaped': 's\u00e9cret&quot;&amp;&lt;canary&gt;&#x27;+/=\\',
    'json-escaped by Python': String.raw`s\u00e9cret\"&<canary>'+/=\\`,
    'json-escaped by PHP': String.raw`s\u00e9cret\"&<canary>'+\/=\\`,
    'json-escaped by Go': String.raw`sécret\"\u0026\u003ccanary\u003e'+/=\\`,
    'json-escaped by .NET': String.raw`s\u00E9cret\u0022\u0026\u003Ccanary\u003E\u0027\u002B/=\\`,
    base64: Buffer.from(`id:${odd}`, 'latin1').toString('base64'),
    hex: Buffer.from(odd, 'latin1').toString('hex'),
    'percent-encoded': 's%E9cret%22%26%3Ccanary%3E%27%2B%2F%3D%5C',
  };
  for (const [name, text] of Object.entries(writings))
    expect(findSecret(text, [odd]).map(({ form }) => form)).toContain(name.split(' ')[0]);
});

test('names the form and the place', () => {
  const error = new Error(`refused ${secret}`, { cause: { sent: Buffer.from(secret).toString('hex') } });
  const found = findSecret(error, [secret]);
  expect(found).toContainEqual({ secret, form: 'plain', where: 'value.message' });
  expect(found).toContainEqual({ secret, form: 'plain', where: 'value.stack' });
  expect(found).toContainEqual({ secret, form: 'hex', where: 'value.cause.sent' });
});

const hiding: Readonly<Record<string, { readonly value: () => unknown; readonly where: string }>> = {
  'a non-enumerable property': { value: () => Object.defineProperty({}, 'hidden', { value: secret }), where: 'value.hidden' },
  'a symbol property': { value: () => ({ [Symbol('s')]: secret }), where: 'value[Symbol(s)]' },
  'a property name': { value: () => ({ [secret]: 1 }), where: `the name of value.${secret}` },
  'a Map': { value: () => new Map([['a', { b: secret }]]), where: 'entries of value.0.1.b' },
  'a Set': { value: () => new Set([secret]), where: 'entries of value.0' },
  Headers: { value: () => new Headers({ Authorization: secret }), where: 'entries of value.0.1' },
  'a getter': {
    value: () => ({
      get token() {
        return secret;
      },
    }),
    where: 'value.token',
  },
  'what a getter throws': {
    value: () => ({
      get token() {
        throw new Error(secret);
      },
    }),
    where: 'value.token.message',
  },
  'an AggregateError': { value: () => new AggregateError([new Error(secret)]), where: 'value.errors.0.message' },
  bytes: { value: () => ({ body: Buffer.from(secret) }), where: 'value.body' },
  'a function': { value: () => Object.assign(() => 1, { secret }), where: 'value.secret' },
  'an array buffer': { value: () => new TextEncoder().encode(secret).buffer, where: 'value' },
  'a URL': { value: () => new URL(`https://a.example/?key=${encodeURIComponent(secret)}`), where: 'String(value)' },
  'a Request': { value: () => new Request(`https://a.example/?key=${encodeURIComponent(secret)}`), where: 'inspect(value)' },
  toJSON: { value: () => ({ toJSON: () => ({ secret }) }), where: 'JSON.stringify(value)' },
  'an own rendering': { value: () => ({ [inspect.custom]: () => secret }), where: 'inspect(value)' },
};

for (const [name, { value, where }] of Object.entries(hiding)) {
  test(`finds a secret in ${name}`, () => {
    expect(wheres(value())).toContain(where);
  });
}

test('comes to an end with cycles and proxies', () => {
  const cycle: Record<string, unknown> = { secret };
  cycle['self'] = cycle;
  expect(wheres(cycle)).toContain('value.secret');
  expect(wheres(new Proxy({ secret }, {}))).toContain('value.secret');
});

import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { type ExplainableRequest, type ExplainSignatureOptions, explainSignature } from './explain-signature.ts';
import { oauth1 } from './oauth1.ts';
import type { SignatureExplanation } from './signature-explanation.ts';

/** RFC 5849 §1.2: the request for the photo. */
const photo = { url: 'http://photos.example.net/photos?file=vacation.jpg&size=original' };
const keys = {
  consumerKey: 'dpf43f3p2l4k3l03',
  consumerSecret: 'kd94hf93k423kf44',
  token: 'nnch734d00sl2jdk',
  tokenSecret: 'pfkkdhi9sl3r4s00',
  version: false,
  nonce: () => 'chapoH',
  timestampSeconds: () => 137131202,
  now: () => 137131202_000,
} as const;
const url = 'https://api.example.com/items';

/** Every spelling of `secret` that a value shows: its text, its data, and what debuggers print of it. */
function sightings(value: unknown, secrets: readonly string[]): string[] {
  const texts = [
    String(value),
    JSON.stringify(value),
    inspect(value, { depth: null, showHidden: true, customInspect: false }),
    inspect(value),
  ];
  const spellings = secrets.flatMap((secret) => {
    const encoded = encodeURIComponent(secret);
    return [secret, encoded, encodeURIComponent(encoded), Buffer.from(secret).toString('base64').slice(0, -3)];
  });
  return spellings.filter((spelling) => texts.some((text) => text.includes(spelling)));
}

test('shows what is signed, as data (RFC 5849 §1.2)', async () => {
  const explanation = await explainSignature(photo, keys);
  expect(explanation).toMatchObject({
    method: 'GET',
    baseStringUri: 'http://photos.example.net/photos',
    normalizedParameters:
      'file=vacation.jpg&oauth_consumer_key=dp…03&oauth_nonce=chapoH&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131202&oauth_token=nn…dk&size=original',
    baseString:
      'GET&http%3A%2F%2Fphotos.example.net%2Fphotos&file%3Dvacation.jpg%26oauth_consumer_key%3Ddp…03%26oauth_nonce%3DchapoH' +
      '%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131202%26oauth_token%3Dnn…dk%26size%3Doriginal',
    signingKey: '(16 characters)&(16 characters)',
    signature: 'MdpQcU8iPSUjWoN/UDMsK2sui9I=',
    placement: 'header',
    timestampSeconds: 137131202,
    clockOffsetSeconds: 0,
  });
  expect(explanation.credentials).toMatch(/^OAuth oauth_consumer_key="dp…03", .*oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"$/);
  expect(explanation.parameters.map(({ name, source }) => `${name} ${source}`)).toEqual([
    'file query',
    ...['consumer_key', 'nonce', 'signature_method', 'timestamp', 'token'].map((name) => `oauth_${name} oauth`),
    'size query',
  ]);
});

test('is what oauth1 does to the same request, wherever it puts it', async () => {
  const body = new URLSearchParams({ a: 'form', b: '2' });
  for (const placement of ['header', 'query', 'form'] as const) {
    const { now, ...options } = { ...keys, placement };
    const explanation = await explainSignature({ method: 'POST', url: `${url}?a=query`, body }, { ...options, now });
    const headers = new Headers({ 'Content-Type': 'application/x-www-form-urlencoded' });
    const request = { method: 'POST', url: `${url}?a=query`, headers, body: `${body}`, replayable: true, attempt: 1 };
    const { receipt } = await oauth1(options).authorize(request, { now, emit() {} });
    expect(explanation.signature).toBe(receipt?.signature);
    expect(explanation.credentials).toContain(encodeURIComponent(explanation.signature));
    expect(explanation.credentials.startsWith('OAuth ')).toBe(placement === 'header');
    const own = explanation.parameters.filter(({ source }) => source !== 'oauth');
    expect(own.map(({ name, value, source }) => `${name}=${value} ${source}`)).toEqual(['a=form form', 'a=query query', 'b=2 form']);
  }
});

test('the report has it all, and says what to compare', async () => {
  const explanation = await explainSignature(photo, { ...keys, clockOffsetSeconds: 30, realm: 'Photos' });
  const { text } = explanation;
  expect([String(explanation), inspect(explanation)]).toEqual([text, text]);
  for (const part of [
    ...['OAuth 1 signature of GET http://photos.example.net/photos', 'file=vacation.jpg', 'HMAC-SHA1', '(16 characters)&(16 characters)'],
    ...[explanation.baseString, explanation.signature, 'Authorization: OAuth realm="Photos", ', '1974-05-07T04:00:32.000Z'],
    ...['an offset of 30 s included', '1. The URL is http', 'The first difference is the cause'],
  ]) {
    expect(text).toContain(part);
  }
  expect(text).not.toContain('undefined');
  expect(Object.keys(explanation)).not.toContain('text');
});

const key = (more: object): Partial<ExplainSignatureOptions> => more;
const causes: readonly [string, Partial<ExplainableRequest>, Partial<ExplainSignatureOptions>, readonly string[], RegExp?][] = [
  ['nothing', {}, {}, []],
  [
    'blanks around the secret',
    {},
    key({ consumerSecret: 'copied ' }),
    ['blank-around-secret'],
    /`consumerSecret` begins or ends with a blank/,
  ],
  ['an encoded secret', {}, key({ tokenSecret: () => 'a%2Fb' }), ['encoded-secret'], /`tokenSecret` holds percent-encoding/],
  ['an empty token secret', {}, key({ tokenSecret: '' }), ['empty-token-secret']],
  ['milliseconds', {}, key({ timestampSeconds: () => 1_700_000_000_000 }), ['milliseconds'], /whole seconds/],
  ['a distant time', {}, key({ timestampSeconds: () => 137130002 }), ['distant-timestamp'], /1200 s behind this machine's clock/],
  ['a distant time ahead', {}, key({ clockOffsetSeconds: 900 }), ['distant-timestamp'], /900 s ahead of .*an offset of 900 s included/],
  ['a time close by', {}, key({ timestampSeconds: () => 137131202 - 60 }), []],
  ['double encoding', { url: `${url}?a=b%252Fc` }, {}, ['double-encoding'], /encoded twice/],
  ['a percent sign', { url: `${url}?a=100%25` }, {}, []],
  ['a plus sign', { url: `${url}?a=b+c` }, {}, ['plus-in-query'], /signed as a blank/],
  ['a plus sign in the path', { url: `${url}/b+c` }, {}, []],
  ['an undeclared form', { method: 'POST', body: 'a=1&b=2' }, {}, ['form-like-body'], /signed not at all, since its Content-Type is none/],
  [
    'a form with a hash',
    { method: 'POST', body: new TextEncoder().encode('a=1'), headers: { 'Content-Type': 'text/plain' } },
    { bodyHash: true },
    ['form-like-body'],
    /by its hash only, since its Content-Type is text\/plain/,
  ],
  ['JSON', { method: 'POST', body: '{"a":"b=1"}', headers: { 'Content-Type': 'application/json' } }, {}, []],
  ['a form', { method: 'POST', body: new URLSearchParams('a=1&b=2') }, {}, []],
  ['a repeated parameter', { url: `${url}?a=1&a=2` }, {}, ['repeated-parameter'], /^A parameter of the request occurs more than once/],
  ['a parameter in query and form', { method: 'POST', url: `${url}?a=1`, body: new URLSearchParams('a=1') }, {}, ['repeated-parameter']],
  ['a method in small letters', { method: 'patch' }, {}, ['method-case'], /capitals/],
  ['a port', { url: 'https://api.example.com:8443/' }, {}, ['port-or-host'], /names a port/],
  ['the default port', { url: 'https://api.example.com:443/' }, {}, ['port-or-host']],
  ['a host in capitals', { url: 'https://API.example.com/' }, {}, ['port-or-host'], /capitals in its host/],
  ['http', { url: 'http://api.example.com/' }, {}, ['insecure-http'], /ends TLS/],
  ['a fragment', { url: `${url}?a=1#b=2` }, {}, ['fragment'], /neither sent nor signed/],
  [
    'several, likeliest first',
    { url: 'http://api.example.com:81/?a=%2520&b=+#c' },
    key({ consumerSecret: ' x' }),
    ['blank-around-secret', 'double-encoding', 'plus-in-query', 'port-or-host', 'insecure-http', 'fragment'],
  ],
];
test.each(causes)('finds %s', async (_, request, options, codes, words) => {
  const explanation = await explainSignature({ url, ...request }, { ...keys, ...options });
  expect(explanation.causes.map(({ code }) => code)).toEqual(codes);
  if (words) expect(explanation.causes[0]?.message).toMatch(words);
  for (const { message } of explanation.causes) expect(explanation.text).toContain(message);
});

test.each([{ token: '' }, { token: () => '' }, { token: undefined }])(
  'a token secret without its token (%o) is refused by name',
  async (lost) => {
    const expected = { option: 'token', message: expect.stringMatching(/`token` is (?:empty|missing)/) };
    await expect(explainSignature({ url }, { ...keys, ...lost } as ExplainSignatureOptions)).rejects.toMatchObject(expected);
  },
);

test('a fragment is not signed', async () => {
  const without = await explainSignature({ url: `${url}?a=1` }, keys);
  expect((await explainSignature({ url: `${url}?a=1#b=2` }, keys)).signature).toBe(without.signature);
});

const secrets = [
  'canary/consumer+secret',
  'canary token&value',
  'canary=token secret',
  'canary-consumer-key',
  'canary-password',
  'canary-verifier-1',
];
const [consumerSecret = '', token = '', tokenSecret = '', consumerKey = '', password = '', verifier = ''] = secrets;
const canaries: readonly [string, Partial<ExplainableRequest>, Partial<ExplainSignatureOptions>][] = [
  ['the header', {}, {}],
  ['the query', {}, { placement: 'query' }],
  ['the form', { method: 'POST' }, { placement: 'form' }],
  ['PLAINTEXT', {}, { signatureMethod: 'PLAINTEXT' }],
  ['functions', {}, { consumerSecret: async () => consumerSecret, token: () => token }],
  ['parameters of their own', {}, { parameters: { oauth_verifier: verifier, x_auth_password: password } }],
  [
    'a query that holds them',
    { url: `${url}?q=${encodeURIComponent(consumerSecret)}&x=${'y'.repeat(500)}${encodeURIComponent(tokenSecret)}` },
    {},
  ],
  ['a parameter name', { url: `${url}?${encodeURIComponent(token)}` }, {}],
  ['a path', { url: `${url}/${encodeURIComponent(token)}/me` }, {}],
  ['a form that holds them', { method: 'POST', body: new URLSearchParams({ password, note: tokenSecret }) }, {}],
  ['a callback', {}, { parameters: { oauth_callback: `https://app.example.com/?t=${tokenSecret}` } }],
];
test.each(canaries)('no secret shows: %s', async (_, request, options) => {
  const explanation = await explainSignature({ url, ...request }, { ...keys, consumerKey, consumerSecret, token, tokenSecret, ...options });
  expect(sightings(explanation, secrets)).toEqual([]);
  expect(explanation.baseString).toContain('…');
});

test('short keys and tokens show nothing', async () => {
  const { normalizedParameters } = await explainSignature({ url }, { ...keys, consumerKey: 'abc', token: 'ninechars' });
  expect(normalizedParameters).toContain('oauth_consumer_key=…&');
  expect(normalizedParameters).toContain('oauth_token=…');
});

test('PLAINTEXT and RSA have no signing key to measure, or show', async () => {
  const plain = await explainSignature({ url }, { ...keys, tokenSecret: '', signatureMethod: 'PLAINTEXT' });
  expect([plain.signature, plain.signingKey]).toEqual(['(16 characters)&(empty)', '(16 characters)&(empty)']);
  expect(plain.text).toContain('PLAINTEXT does not sign it');
  const { privateKey } = await crypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
    true,
    ['sign', 'verify'],
  );
  const { consumerSecret: _, tokenSecret: __, ...rest } = keys;
  const rsa: SignatureExplanation = await explainSignature({ url }, { ...rest, signatureMethod: 'RSA-SHA256', privateKey });
  expect([rsa.signingKey, rsa.signature.length]).toEqual(['(RSA private key)', 344]);
});

const refusals: readonly [string, ExplainableRequest, object][] = [
  ['a relative URL', { url: '/items' }, { option: 'url' }],
  ['userinfo', { url: 'https://user:canary-password@api.example.com/' }, { option: 'url' }],
  ['headers that are none', { url, headers: { 'X-Key': 'canary-password\n1' } }, { option: 'headers' }],
  ['oauth_* in the query', { url: `${url}?oauth_nonce=1` }, { option: 'url' }],
  ['another scheme', { url: 'ftp://api.example.com/' }, { option: 'url' }],
];
test.each(refusals)('%s is refused', async (_, request, expected) => {
  const error = await explainSignature(request, keys).then(undefined, (thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'CONFIGURATION_ERROR', ...expected });
  expect(sightings(error, ['canary-password'])).toEqual([]);
});

test('a call without options is refused by name', async () => {
  await expect(explainSignature({ url }, undefined as never)).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'consumerKey' });
});

test('PLAINTEXT over http, and form fields without a form, are refused as when they are sent', async () => {
  const http = { url: 'http://api.example.com/' };
  const plain = { ...keys, signatureMethod: 'PLAINTEXT' } as const;
  await expect(explainSignature(http, plain)).rejects.toMatchObject({ code: 'UNSAFE_DESTINATION', origin: 'http://api.example.com' });
  await expect(explainSignature({ url: 'http://localhost/' }, plain)).resolves.toBeDefined();
  const json = { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } };
  for (const request of [{}, { method: 'head' }, json, { method: 'POST', body: 'a=1' }]) {
    await expect(explainSignature({ url, ...request }, { ...keys, placement: 'form' })).rejects.toMatchObject({ option: 'body' });
  }
});

test('the base string is the one that is signed, but for what is masked', async () => {
  const { baseString } = await explainSignature({ url: `${url}/a(1)!*'?b=(2)!*'` }, keys);
  expect(baseString).toContain('&https%3A%2F%2Fapi.example.com%2Fitems%2Fa%281%29%21%2A%27&b%3D%25282%2529%2521%252A%2527%26');
  const masked = await explainSignature({ url: `${url}?b=(2)&pin=1` }, keys);
  expect(masked.baseString).toContain('&b%3D%25282%2529%26');
});

const spelled: readonly [string, string][] = [
  [`${url}?a=1 `, `${url}?a=1`],
  [` ${url}?a=1&\t`, `${url}?a=1&`],
  [`${url}/a\tb?c\n=1#d`, `${url}/ab?c=1`],
];
test.each(spelled)('%j is signed as clients parse it', async (raw, parsed) => {
  const body = new URLSearchParams('f=1');
  const [of, as] = await Promise.all([raw, parsed].map((each) => explainSignature({ method: 'POST', url: each, body }, keys)));
  expect([of?.baseString, of?.signature, of?.parameters]).toEqual([as?.baseString, as?.signature, as?.parameters]);
});

test('with a body hash, bodies without Content-Type have the one that clients give them', async () => {
  const hashed = { ...keys, bodyHash: true };
  const form = await explainSignature({ method: 'POST', url, body: new URLSearchParams('a=1') }, hashed);
  expect(form.normalizedParameters).toMatch(/^a=1&(?!.*oauth_body_hash)/);
  const text = await explainSignature({ method: 'POST', url, body: 'a=1' }, hashed);
  const typed = await explainSignature({ method: 'POST', url, body: 'a=1', headers: { 'Content-Type': 'text/plain' } }, hashed);
  expect([text.signature, text.normalizedParameters]).toEqual([typed.signature, expect.stringContaining('oauth_body_hash=')]);
  expect(text.causes[0]?.message).toContain('its Content-Type is text/plain');
});

test('realm and method show no secret, and parameters called like one neither', async () => {
  const more = { consumerSecret: 'canary-secret', realm: 'canary-secret' };
  const explanation = await explainSignature({ url, method: 'canary-secret' }, { ...keys, ...more });
  expect(sightings(explanation, ['canary-secret', 'CANARY-SECRET'])).toEqual([]);
  expect([explanation.method, explanation.baseString.slice(0, 2)]).toEqual(['…', '…&']);
  const names = ['pwd', 'pass', 'auth', 'sig', 'code', 'pin', 'jwt', 'session', 'assertion', 'user[pin]', 'authCode', 'sessionId'];
  const query = new URLSearchParams([...names, 'shipping', 'design', 'author', 'compass'].map((name) => [name, 'v']));
  const { parameters } = await explainSignature({ url: `${url}?${query}` }, keys);
  const open = parameters.filter(({ source, value }) => source === 'query' && value === 'v');
  expect(open.map(({ name }) => name)).toEqual(['author', 'compass', 'design', 'shipping']);
});

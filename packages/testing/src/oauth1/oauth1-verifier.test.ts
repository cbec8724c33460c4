import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ReceivedRequest } from '../received-request.ts';
import { expectedBaseString } from './expected-base-string.ts';
import { type OAuth1VerifierOptions, oauth1Verifier, type TokenLookup } from './oauth1-verifier.ts';
import { bodyHash, isSignedWith, OAUTH1_SIGNATURE_METHODS, type OAuth1SignatureMethod } from './signature-check.ts';
import { signedParameters } from './signed-parameters.ts';

/** A request as if it had arrived. */
function arrived(method: string, url: string, headers: Record<string, string> = {}, body: string | Buffer = ''): ReceivedRequest {
  const [, host = '', path = '', query = ''] = /^https?:\/\/([^/?]*)([^?]*)\??(.*)$/i.exec(url) ?? [];
  const lowerCase = Object.fromEntries(Object.entries({ host, ...headers }).map(([name, value]) => [name.toLowerCase(), value]));
  const rest = { route: 'api', rawHeaders: [], isComplete: true, receivedAtMs: 0, connection: 1 };
  return { ...rest, method, url, path, query, headers: lowerCase, body: Buffer.from(body), text: `${body}` };
}

function verifier(options: Partial<OAuth1VerifierOptions> & { atSeconds: number }) {
  return oauth1Verifier({
    consumerKey: 'dpf43f3p2l4k3l03',
    consumerSecret: 'kd94hf93k423kf44',
    signatureMethods: OAUTH1_SIGNATURE_METHODS,
    timestampWindowSeconds: 300,
    now: () => options.atSeconds * 1000,
    ...options,
  });
}

const anyToken =
  (tokenSecret: string): TokenLookup =>
  () => ({ tokenSecret });

function baseStringOf(request: ReceivedRequest): string {
  const parameters = signedParameters(request);
  if (typeof parameters === 'string') throw new Error(parameters);
  return expectedBaseString(request, parameters);
}

describe('published vectors', () => {
  it('RFC 5849 §1.2: temporary credentials', () => {
    const authorization =
      'OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131200", ' +
      'oauth_nonce="wIjqoS", oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready", oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D"';
    const request = arrived('POST', 'https://photos.example.net/initiate', { authorization });
    const verdict = verifier({ atSeconds: 137131200 }).verify(request, anyToken(''));
    expect(verdict).toMatchObject({ placement: 'header', parameters: { oauth_callback: 'http://printer.example.com/ready' } });
    expect(verdict.refusal).toBeUndefined();
  });

  it('RFC 5849 §1.2: token credentials', () => {
    const authorization =
      'OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="hh5s93j4hdidpola", oauth_signature_method="HMAC-SHA1", ' +
      'oauth_timestamp="137131201", oauth_nonce="walatlh", oauth_verifier="hfdp7dh39dks9884", oauth_signature="gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D"';
    const request = arrived('POST', 'https://photos.example.net/token', { authorization });
    expect(verifier({ atSeconds: 137131201 }).verify(request, anyToken('hdhd0244k9j7ao03')).refusal).toBeUndefined();
  });

  it('RFC 5849 §1.2: a protected resource, accepted once', () => {
    const authorization =
      'OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", oauth_signature_method="HMAC-SHA1", ' +
      'oauth_timestamp="137131202", oauth_nonce="chapoH", oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"';
    const request = arrived('GET', 'http://photos.example.net/photos?file=vacation.jpg&size=original', { authorization });
    const judge = verifier({ atSeconds: 137131202 });
    expect(judge.verify(request, anyToken('pfkkdhi9sl3r4s00')).refusal).toBeUndefined();
    expect(judge.verify(request, anyToken('pfkkdhi9sl3r4s00')).refusal?.problem).toBe('nonce_used');
    const elsewhere = arrived('GET', 'http://photos.example.net/photos?file=vacation.jpg&size=large', { authorization });
    expect(judge.verify(elsewhere, anyToken('pfkkdhi9sl3r4s00')).refusal?.problem).toBe('signature_invalid');
  });

  const section3 = arrived(
    'POST',
    'http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b',
    {
      'Content-Type': 'application/x-www-form-urlencoded',
      authorization:
        'OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7", oauth_signature_method="HMAC-SHA1", ' +
        'oauth_timestamp="137131201", oauth_nonce="7d8f3e4a", oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D"',
    },
    'c2&a3=2+q',
  );

  it('RFC 5849 §3.4.1.1: the base string, with query, form and header in one', () => {
    expect(baseStringOf(section3)).toBe(
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26' +
        'oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26' +
        'oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    );
  });

  it('RFC 5849 §3.1: the signature that independent implementations give, and not the one that is printed', () => {
    const keys = { consumerSecret: 'j49sk3j29djd', tokenSecret: 'dh893hdasih9' };
    expect(isSignedWith(keys, 'HMAC-SHA1', baseStringOf(section3), 'r6/TJjbCOr97/+UU0NsvSne7s5g=')).toBe(true);
    expect(isSignedWith(keys, 'HMAC-SHA1', baseStringOf(section3), 'bYT5CMsGcbgUdFHObYMEfcx6bsw=')).toBe(false);
  });

  it('OAuth Core 1.0a appendix A.5 and 9.4.1: PLAINTEXT', () => {
    const keys = { consumerSecret: 'djr9rjt0jd78jf88', tokenSecret: 'jjd999tj88uiths3' };
    expect(isSignedWith(keys, 'PLAINTEXT', '', 'djr9rjt0jd78jf88&jjd999tj88uiths3')).toBe(true);
    expect(isSignedWith({ ...keys, tokenSecret: 'jjd99$tj88uiths3' }, 'PLAINTEXT', '', 'djr9rjt0jd78jf88&jjd99%24tj88uiths3')).toBe(true);
    expect(isSignedWith({ ...keys, tokenSecret: '' }, 'PLAINTEXT', '', 'djr9rjt0jd78jf88&')).toBe(true);
    expect(isSignedWith({ ...keys, tokenSecret: '' }, 'PLAINTEXT', '', 'djr9rjt0jd78jf88')).toBe(false);
  });

  it('OAuth Request Body Hash 1.0 §5: the hash of "Hello World!", and of nothing', () => {
    expect(bodyHash('HMAC-SHA1', Buffer.from('Hello World!'))).toBe('Lve95gjOVATpfV8EL5X4nxwjKHE=');
    expect(bodyHash('RSA-SHA1', Buffer.alloc(0))).toBe('2jmj7l5rSw0yVb/vlWAYkK/YBwk=');
    expect(bodyHash('HMAC-SHA256', Buffer.alloc(0))).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  });
});

describe('the base string', () => {
  const paths = [
    ['http://example.com', 'http%3A%2F%2Fexample.com%2F'],
    ['http://example.com/a%2Fb/%7Ec;v=1', 'http%3A%2F%2Fexample.com%2Fa%252Fb%2F%257Ec%3Bv%3D1'],
    ['https://example.com:443/', 'https%3A%2F%2Fexample.com%2F'],
    ['https://example.com:80/', 'https%3A%2F%2Fexample.com%3A80%2F'],
    ['http://[::1]:8080/', 'http%3A%2F%2F%5B%3A%3A1%5D%3A8080%2F'],
  ] as const;
  it.each(paths)('%s', (url, uri) => {
    // A client sends the target "/" where a URL has no path.
    const request = arrived('GET', /^https?:\/\/[^/]+$/.test(url) ? `${url}/` : url);
    expect(baseStringOf(request)).toBe(`GET&${uri}&`);
  });

  const queries = [
    ['a=1&a=&a', 'a%3D%26a%3D%26a%3D1'],
    ['a=b=c&&=x', '%3Dx%26a%3Db%253Dc'],
    ['eq(name,value)&in(id,a,b)', 'eq%2528name%252Cvalue%2529%3D%26in%2528id%252Ca%252Cb%2529%3D'],
    ['b[]=1;c=2&%zz=%', '%2525zz%3D%2525%26b%255B%255D%3D1%253Bc%253D2'],
    ['a=%ff%FE+%2b', 'a%3D%25FF%25FE%2520%252B'],
    ['a-b=1&a=2&a.b=3&aB=4&a_=5', 'a%3D2%26a-b%3D1%26a.b%3D3%26aB%3D4%26a_%3D5'],
  ] as const;
  it.each(queries)('?%s', (query, normalized) => {
    expect(baseStringOf(arrived('get', `http://a.test/?${query}`))).toBe(`GET&http%3A%2F%2Fa.test%2F&${normalized}`);
  });

  it('reads a form under any spelling of its media type, and no other body', () => {
    const bodies = [
      ['Application/X-WWW-Form-URLencoded; charset=utf-8', 'a%3D1'],
      ['application/x-www-form-urlencoded-not', ''],
      ['multipart/form-data', ''],
    ] as const;
    for (const [type, normalized] of bodies) {
      expect(baseStringOf(arrived('DELETE', 'http://a.test/', { 'Content-Type': type }, 'a=1'))).toBe(
        `DELETE&http%3A%2F%2Fa.test%2F&${normalized}`,
      );
    }
  });
});

describe('RSA', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const other = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;

  it.each(['RSA-SHA1', 'RSA-SHA256', 'RSA-SHA512'] as const)('%s is verified with the registered key', (method) => {
    const keys = { consumerSecret: '', tokenSecret: '', publicKey: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })) };
    const signature = sign(method.slice(4), Buffer.from('base'), privateKey).toString('base64');
    const check = (changes: object, text = 'base') => isSignedWith({ ...keys, ...changes }, method, text, signature);
    expect([check({}), check({}, 'Base'), check({ publicKey: other }), check({ publicKey: undefined })]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('what is refused', () => {
  const good = {
    oauth_consumer_key: 'dpf43f3p2l4k3l03',
    oauth_signature_method: 'PLAINTEXT',
    oauth_signature: 'kd94hf93k423kf44%26',
    oauth_timestamp: '1000000',
    oauth_nonce: 'n',
  };
  const headerOf = (fields: Readonly<Record<string, string | undefined>>) =>
    `OAuth ${Object.entries(fields)
      .flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${value}"`]))
      .join(',')}`;
  const judged = (authorization: string, url = 'http://a.test/', headers = {}, body = '') =>
    verifier({ atSeconds: 1_000_000 }).verify(arrived('POST', url, { authorization, ...headers }, body), anyToken('')).refusal;

  it('nothing about this one', () => {
    expect(judged(headerOf(good))).toBeUndefined();
    expect(judged(headerOf({ ...good, oauth_timestamp: undefined, oauth_nonce: undefined }))).toBeUndefined();
    expect(judged(`oauth realm="a \\", b=c", ${headerOf(good).slice(6).replaceAll(',', ' ,\t')}`)).toBeUndefined();
  });

  const changes: readonly [string, Readonly<Record<string, string | undefined>>, string, object?][] = [
    ['no consumer key', { oauth_consumer_key: undefined }, 'parameter_absent', { oauth_parameters_absent: 'oauth_consumer_key' }],
    [
      'HMAC without a nonce',
      { oauth_signature_method: 'HMAC-SHA1', oauth_nonce: undefined },
      'parameter_absent',
      { oauth_parameters_absent: 'oauth_nonce' },
    ],
    ['another version', { oauth_version: '2.0' }, 'version_rejected'],
    ['an unknown method', { oauth_signature_method: 'HMAC-MD5' }, 'signature_method_rejected'],
    ['a method in lower case', { oauth_signature_method: 'hmac-sha1' }, 'signature_method_rejected'],
    ['an old timestamp', { oauth_timestamp: '999699' }, 'timestamp_refused', { oauth_acceptable_timestamps: '999700-1000300' }],
    ['a timestamp to come', { oauth_timestamp: '1000301' }, 'timestamp_refused'],
    ['milliseconds', { oauth_timestamp: '1000000000' }, 'timestamp_refused'],
    ['a timestamp that is no number', { oauth_timestamp: '1e6' }, 'parameter_rejected'],
    ['another consumer', { oauth_consumer_key: 'x' }, 'consumer_key_unknown'],
    ['another secret', { oauth_signature: 'x%26' }, 'signature_invalid'],
    ['no base64', { oauth_signature_method: 'HMAC-SHA1', oauth_signature: '%20' }, 'signature_invalid'],
    ['a value that is not encoded', { oauth_nonce: 'a b' }, 'parameter_rejected'],
    ['lower-case triplets', { oauth_nonce: 'a%2fb' }, 'parameter_rejected'],
    ['another body', { oauth_body_hash: '2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D' }, 'signature_invalid'],
  ];
  it.each(changes)('%s', (_, change, problem, report = {}) => {
    const refused = judged(headerOf({ ...good, ...change }), 'http://a.test/', {}, 'a body');
    expect(refused).toMatchObject({ problem, report });
  });

  it('parameters that repeat, or stand in two places', () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect(judged(`${headerOf(good)},oauth_nonce="m"`)).toMatchObject({ report: { oauth_parameters_rejected: 'oauth_nonce' } });
    expect(judged(headerOf(good), 'http://a.test/?oauth_nonce=m')).toMatchObject({ report: { oauth_parameters_rejected: 'oauth_nonce' } });
    expect(judged(headerOf(good), 'http://a.test/', form, 'oauth_verifier=m')).toMatchObject({ detail: expect.stringContaining('form') });
    expect(judged('OAuth realm="a", nonsense')).toMatchObject({ problem: 'parameter_rejected' });
    expect(judged('Bearer a')).toMatchObject({ problem: 'parameter_absent' });
  });

  it('a body hash beside a form, whatever it says', () => {
    const header = headerOf({ ...good, oauth_body_hash: encodeURIComponent(bodyHash('PLAINTEXT', Buffer.from('a=1'))) });
    expect(judged(header, 'http://a.test/', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'a=1')).toMatchObject({
      problem: 'parameter_rejected',
    });
    expect(judged(header, 'http://a.test/', { 'Content-Type': 'text/plain' }, 'a=1')).toBeUndefined();
  });

  it('a nonce is used up by a right signature only, and by consumer, token and timestamp', () => {
    const judge = verifier({ atSeconds: 1_000_000 });
    const tokens: TokenLookup = () => ({ tokenSecret: '' });
    const send = (change: object) =>
      judge.verify(arrived('GET', 'http://a.test/', { authorization: headerOf({ ...good, ...change }) }), tokens).refusal?.problem;
    expect(send({ oauth_signature: 'wrong' })).toBe('signature_invalid');
    expect([{}, { oauth_token: 'other' }, { oauth_timestamp: '1000001' }].map(send)).toEqual([undefined, undefined, undefined]);
    expect([{}, { oauth_token: 'other' }, { oauth_timestamp: '1000001' }].map(send)).toEqual(['nonce_used', 'nonce_used', 'nonce_used']);
  });

  it('every method but those that are taken', () => {
    const signatureMethods: readonly OAuth1SignatureMethod[] = ['HMAC-SHA256', 'RSA-SHA256'];
    const judge = verifier({ atSeconds: 1_000_000, signatureMethods });
    const request = arrived('GET', 'http://a.test/', { authorization: headerOf(good) });
    expect(judge.verify(request, anyToken('')).refusal).toMatchObject({ detail: 'This server takes HMAC-SHA256, RSA-SHA256.' });
  });
});

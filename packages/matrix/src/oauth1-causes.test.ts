// "The signature does not match", and nobody says why: what leads to the cause is the error alone.
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { withAuth } from '@authseam/adapter-fetch';
import { OAuth1Error, type OAuth1Options, oauth1, type SignatureExplanation } from '@authseam/auth-oauth1';
import { type ExtraHorizonServer, extraHorizonServer, findSecret } from '@authseam/testing';
import { describe, expect, it } from 'vitest';

type Call = (url: string, init?: RequestInit) => Promise<Response>;

function apiOf(server: ExtraHorizonServer, more: Partial<OAuth1Options> = {}): Call {
  const { consumerKey, consumerSecret, token, tokenSecret } = server;
  return withAuth(fetch, oauth1({ consumerKey, consumerSecret, token, tokenSecret, ...more }));
}

/** What a console shows of the error of `call`; no secret is among it. */
async function textOf(call: Promise<unknown>, secrets: readonly string[]): Promise<string> {
  const error = await call.then(
    () => expect.unreachable('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(findSecret(error, secrets)).toEqual([]);
  return `${error}\n${inspect(error)}`;
}

function secretsOf({ consumerSecret, token, tokenSecret }: ExtraHorizonServer): string[] {
  return [consumerSecret, token, tokenSecret];
}

describe.each(['header', 'body'] as const)('told in the %s', (problemReporting) => {
  it.each(['consumerSecret', 'tokenSecret'] as const)('a wrong %s', async (option) => {
    await using server = await extraHorizonServer({ problemReporting });
    const wrong = { [option]: ' canary-wrong-secret' };
    const text = await textOf(apiOf(server, wrong)(`${server.origin}/users/v1/me`), [...secretsOf(server), 'canary-wrong-secret']);
    expect(text).toContain('signature_invalid. Check `consumerSecret` and `tokenSecret` first');
    expect(text).toContain(`\`${option}\` begins or ends with a blank`);
    expect(text).toMatch(/Signing key: +\(\d+ characters\)&\(\d+ characters\)/);
  });

  it('a clock that no Date mends: the one that verifies is not the one that answers', async () => {
    await using server = await extraHorizonServer({ problemReporting, clockSkewSeconds: 3_600 });
    const headers = { Date: new Date().toUTCString() };
    server.inject({ at: 'api', times: Infinity, transform: (answer) => ({ ...answer, headers: { ...answer.headers, ...headers } }) });
    const text = await textOf(apiOf(server)(`${server.origin}/users/v1/me`), secretsOf(server));
    expect(text).toMatch(/timestamp_refused \(\d+-\d+\)\. It was signed at \d{4}-.*; the server's clock says \d{4}-.*Set the clock/);
    expect(server.verdicts).toHaveLength(1);
  });

  it('a URL that is changed on the way', async () => {
    await using server = await extraHorizonServer({ problemReporting });
    await using proxy = await rewriting(server.origin, (url) => `${url}&added=1`);
    const text = await textOf(apiOf(server)(`${proxy.origin}/echo/json?a=1+1&a=%252F`), secretsOf(server));
    expect(text).toMatch(/nothing changes URL or form after signing/);
    expect(text).toMatch(/an interceptor that adds parameters, a proxy that rewrites the URL/);
    expect(text).toMatch(/1\. The query holds `%25`.*\n.*2\. The query holds `\+`.*\n.*3\. A parameter .* more than once/);
    expect(text).toContain('GET&http%3A%2F%2F127.0.0.1');
  });
});

it('a key that signs nothing, before anything is sent', async () => {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const keys: readonly [OAuth1Options['privateKey'], RegExp][] = [
    [await crypto.subtle.exportKey('jwk', privateKey), /`privateKey` is of another kind/],
    [privateKey, /`privateKey` is a CryptoKey, but not one that may sign with RSASSA-PKCS1-v1_5 and SHA-256/],
    ['-----BEGIN ENCRYPTED PRIVATE KEY-----\ncanary\n-----END ENCRYPTED PRIVATE KEY-----', /`privateKey` is encrypted: decrypt it first/],
  ];
  for (const [key, words] of keys) {
    const make = () => oauth1({ consumerKey: 'key', signatureMethod: 'RSA-SHA256', ...(key && { privateKey: key }) });
    expect(make).toThrow(words);
    expect(make).toThrow(/It takes an RSA private key: PEM/);
    expect(make).toThrow(expect.objectContaining({ option: 'privateKey' }));
  }
});

it('a signature method that the server does not take', async () => {
  await using server = await extraHorizonServer({ problemReporting: 'header', signatureMethods: ['HMAC-SHA1'] });
  const text = await textOf(apiOf(server, { signatureMethod: 'HMAC-SHA512' })(`${server.origin}/users/v1/me`), secretsOf(server));
  expect(text).toContain('signature_method_rejected. Choose another `signatureMethod`.');
});

it('the error says what was signed, form fields included, as the server reads it', async () => {
  await using server = await extraHorizonServer({ problemReporting: 'header' });
  const body = new URLSearchParams({ b: '2 +', password: 'canary-password' });
  const call = apiOf(server, { consumerSecret: 'canary-wrong-secret' })(`${server.origin}/echo/form?a=1`, { method: 'POST', body });
  const error = await call.then(undefined, (thrown: unknown) => thrown);
  if (!(error instanceof OAuth1Error)) throw error;
  expect(findSecret(error, [...secretsOf(server), 'canary-wrong-secret', 'canary-password'])).toEqual([]);
  const { causes, parameters, baseString } = error.explanation as SignatureExplanation;
  expect(causes.map(({ code }) => code)).toEqual(['port-or-host', 'insecure-http']);
  expect(parameters.filter(({ source }) => source !== 'oauth')).toEqual([
    { name: 'a', value: '1', source: 'query' },
    { name: 'b', value: '2%20%2B', source: 'form' },
    { name: 'password', value: '…', source: 'form' },
  ]);
  const theirs = server.verdicts[0]?.baseString ?? '';
  expect(theirs.length).toBeGreaterThan(0);
  const pattern = baseString
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  expect(theirs).toMatch(new RegExp(`^${pattern}$`));
});

/** A proxy that rewrites the URL of every request. It hands on the `Host` that it was addressed by. */
async function rewriting(target: string, rewrite: (url: string) => string) {
  const server = createServer((request, response) => {
    const { host = '', authorization = '' } = request.headers;
    const { hostname, port } = new URL(target);
    const onward = send({ hostname, port, path: rewrite(request.url ?? ''), headers: { host, authorization } }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}

// OAuth 1 over real sockets, against a server that verifies signatures with code of its own.
import { generateKeyPairSync } from 'node:crypto';
import { withAuth } from '@authseam/adapter-fetch';
import { type OAuth1Options, oauth1, type SignatureMethod } from '@authseam/auth-oauth1';
import type { AuthStrategy } from '@authseam/core';
import {
  type EchoServer,
  type ExtraHorizonServer,
  type ExtraHorizonServerOptions,
  echoServer,
  extraHorizonServer,
  findSecret,
  type ReceivedRequest,
  type TransformFault,
} from '@authseam/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import { type BodyKind, signableRequests } from './fixtures/signable-requests.ts';

const STATUSES = [301, 302, 303, 307, 308] as const;
const PLACEMENTS = ['header', 'query', 'form'] as const;
const METHODS: readonly SignatureMethod[] = [
  ...(['HMAC-SHA1', 'HMAC-SHA256', 'HMAC-SHA512', 'RSA-SHA1', 'RSA-SHA256', 'RSA-SHA512'] as const),
  'PLAINTEXT',
];

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const publicKey = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();

function credentialsOf({ consumerKey, consumerSecret, token, tokenSecret }: ExtraHorizonServer): OAuth1Options {
  return { consumerKey, consumerSecret, token, tokenSecret };
}

function strategyFor(server: ExtraHorizonServer, more: Partial<OAuth1Options> = {}): AuthStrategy {
  return oauth1({ ...credentialsOf(server), ...more });
}

function problems({ verdicts }: ExtraHorizonServer): (string | undefined)[] {
  return verdicts.map(({ refusal }) => refusal?.problem);
}

function nonces({ verdicts }: ExtraHorizonServer): (string | undefined)[] {
  return verdicts.map(({ parameters }) => parameters['oauth_nonce']);
}

/** All that arrived, as one text: request line, headers and body. */
function wire(requests: readonly ReceivedRequest[]): string {
  return requests.map(({ method, url, rawHeaders, text }) => [method, url, ...rawHeaders, text].join('\n')).join('\n');
}

/** Redirects whoever was let in, repeating the query. */
function redirect(status: number, to: string): TransformFault {
  const transform: TransformFault['transform'] = (answer, { query }) =>
    (answer.status ?? 200) === 200 ? { status, headers: { Location: `${to}?${query}` } } : answer;
  return { at: '/echo/form', transform };
}

async function errorOf(call: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return call.then(
    () => expect.unreachable('it was accepted'),
    (error) => error,
  );
}

const SHA256_ONLY: ExtraHorizonServerOptions = { signatureMethods: ['HMAC-SHA256'] };
const FIXED_SECONDS = 1_800_000_000;
const FIXED_CLOCK: ExtraHorizonServerOptions = { now: () => FIXED_SECONDS * 1000 };

const form = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'b=2&a=1+%2B' };

describe.each(adapters)('$name', (adapter) => {
  describe.each(METHODS)('%s', (signatureMethod) => {
    const isRsa = signatureMethod.startsWith('RSA');
    const kinds: readonly BodyKind[] = ['no body', 'query', 'form', 'JSON'];

    it.each(PLACEMENTS)('is verified for every kind of request: %s', async (placement) => {
      await using server = await extraHorizonServer({ publicKey, consumerSecret: 'sécret & + %' });
      const seed = METHODS.indexOf(signatureMethod);
      for (const kind of placement === 'form' ? kinds.slice(0, 3) : kinds) {
        const isHashed = signatureMethod !== 'PLAINTEXT' && placement !== 'form';
        const strategy = strategyFor(server, { signatureMethod, placement, bodyHash: isHashed, ...(isRsa && { privateKey }) });
        for (const { target, request } of signableRequests(kind, placement === 'form', 5, seed)) {
          const query = target.includes('?') ? target.slice(target.indexOf('?')) : '';
          const { body, ...rest } = request;
          const path = kind === 'JSON' ? '/echo/json' : '/echo/form';
          const method = ['OPTIONS', 'PROPFIND'].includes(rest.method) ? 'GET' : rest.method;
          // As bytes: with a body hash, a text without a type of its own would be neither form nor not.
          await adapter.attach(strategy)(server.origin + path + query, { ...rest, method, ...(body !== undefined && { body }) });
        }
      }
      expect(server.verdicts.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
      expect(server.verdicts).toHaveLength(placement === 'form' ? 15 : 20);
      expect(new Set(nonces(server)).size).toBe(server.verdicts.length);
    });
  });

  describe('what is signed is what is sent', () => {
    it.each([
      'eq(firstName,Jane)&limit(10,0)',
      'in(id,5f1a00000000000000000001,5f1a00000000000000000002)',
      "eq(lastName,O'Neil%2C%20Jr.)&limit(5)",
      'eq(firstName,Zo%C3%AB%20(QA))',
    ])('RQL: %s', async (rql) => {
      await using server = await extraHorizonServer();
      expect(await adapter.attach(strategyFor(server))(`${server.origin}/users/v1/?${rql}`)).toMatchObject({ status: 200 });
      // Some clients write an apostrophe as %27; what matters is that it was signed so.
      expect(server.requests[0]!.query.replaceAll('%27', "'")).toBe(rql);
      expect(problems(server)).toEqual([undefined]);
    });

    it.each(PLACEMENTS)('octets that are no UTF-8, stray percent signs and empty pairs: %s', async (placement) => {
      await using server = await extraHorizonServer();
      const call = adapter.attach(strategyFor(server, { placement }));
      const odd = 'a=%ff%FE+%2b&&=&=x&%zz=%&a&a=&a=%C3';
      const requests = [
        { method: 'POST', ...(placement !== 'form' && { body: '' }) },
        { ...form, body: odd },
      ];
      for (const request of requests) await call(`${server.origin}/echo/form?${odd}`, request);
      expect(problems(server)).toEqual([undefined, undefined]);
    });

    it('hosts in upper case, no path, fragments', async () => {
      await using server = await extraHorizonServer({ host: 'localhost' });
      const call = adapter.attach(strategyFor(server));
      await call(`${server.origin.replace('localhost', 'LOCALHOST')}/users/v1/me#top?x=1`);
      expect(problems(server)).toEqual([undefined]);
    });

    it('bytes that are no form are covered by their hash', async () => {
      await using server = await extraHorizonServer();
      const call = adapter.attach(strategyFor(server, { bodyHash: true, signatureMethod: 'HMAC-SHA256' }));
      const headers = { 'Content-Type': 'application/json' };
      await call(`${server.origin}/echo/json`, { method: 'PUT', headers, body: new TextEncoder().encode('{"é":1}') });
      await call(`${server.origin}/users/v1/me`);
      expect(server.verdicts.map(({ refusal, parameters }) => [refusal, parameters['oauth_body_hash']])).toEqual([
        [undefined, expect.any(String)],
        [undefined, '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
      ]);
    });
  });

  describe.each(PLACEMENTS)('redirects, with the parameters in the %s', (placement) => {
    let away: EchoServer;
    beforeAll(async () => {
      away = await echoServer();
    });
    afterAll(async () => {
      await away.close();
    });

    it.each(STATUSES)('%i within the origin arrives signed anew', async (status) => {
      await using server = await extraHorizonServer();
      for (const request of [{ method: 'DELETE' }, { method: 'POST' }, form]) {
        const becomesGet = status === 303 || (status < 303 && request.method === 'POST');
        if (becomesGet && placement === 'form') continue;
        server.inject(redirect(status, '/echo/form'));
        const answer = await adapter.attach(strategyFor(server, { placement }))(`${server.origin}/echo/form?x=1`, request);
        expect(answer.status).toBe(200);
        const [first, second] = server.requests.slice(-2);
        expect([first?.method, second?.method]).toEqual([request.method, becomesGet ? 'GET' : request.method]);
      }
      expect(problems(server).filter((problem) => problem !== undefined)).toEqual([]);
      expect(new Set(nonces(server)).size).toBe(server.requests.length);
      for (const { url } of server.requests) expect(url.split('oauth_nonce')).toHaveLength(placement === 'query' ? 2 : 1);
    });

    it.each(STATUSES)('%i to another origin arrives without a trace', async (status) => {
      await using server = await extraHorizonServer();
      away.clearRequests();
      for (const request of [{ method: 'DELETE' }, { method: 'POST' }, form]) {
        server.inject(redirect(status, `${away.origin}/landed`));
        const answer = await adapter.attach(strategyFor(server, { placement }))(`${server.origin}/echo/form?x=1`, request);
        expect(answer).toMatchObject({ status: 200, ...(answer.url !== undefined && { url: `${away.origin}/landed?x=1` }) });
      }
      const { consumerKey, consumerSecret, token, tokenSecret } = server;
      const signatures = server.verdicts.flatMap(({ parameters }) => [parameters['oauth_signature'], parameters['oauth_nonce']]);
      const secrets = [consumerKey, consumerSecret, token, tokenSecret, ...signatures].filter((secret) => secret !== undefined);
      expect(problems(server)).toEqual([undefined, undefined, undefined]);
      expect(findSecret(wire(server.requests), secrets)).not.toEqual([]);
      expect(away.requests).toHaveLength(3);
      expect(findSecret(wire(away.requests), secrets)).toEqual([]);
      expect(wire(away.requests)).not.toMatch(/oauth/i);
    });
  });

  it.each([301, 302, 303])('a form cannot sign the GET that a %i makes of a POST: an error, and nothing is sent', async (status) => {
    await using server = await extraHorizonServer();
    server.inject(redirect(status, '/echo/form'));
    const error = await errorOf(adapter.attach(strategyFor(server, { placement: 'form' }))(`${server.origin}/echo/form`, form));
    expect(error).toMatchObject({ name: 'ConfigurationError', message: expect.stringMatching(/form/i) });
    expect(server.requests).toHaveLength(1);
  });

  describe('after a rejection', () => {
    /** Secrets from a vault that holds another pair as soon as the old one was refused. */
    function rotating(server: ExtraHorizonServer, more: Partial<OAuth1Options> = {}): AuthStrategy {
      let pair: { token: string; tokenSecret: string } = server;
      const transform: TransformFault['transform'] = (answer) => {
        pair = server.issueToken();
        return answer;
      };
      server.inject({ at: 'api', transform });
      return strategyFor(server, { token: () => pair.token, tokenSecret: async () => pair.tokenSecret, ...more });
    }

    const isRejected: NonNullable<OAuth1Options['isRejected']> = async (response) => {
      const { code } = (await response.json()) as { code?: number };
      return code === 117 || code === 118;
    };

    it.each(PLACEMENTS)('a rotated token replays the request, once, with a new nonce: %s', async (placement) => {
      await using server = await extraHorizonServer();
      const call = adapter.attach(rotating(server, { placement }));
      server.expireTokens();
      expect(await call(`${server.origin}/echo/form?x=1`, form)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['token_expired', undefined]);
      expect(new Set(nonces(server)).size).toBe(2);
      const bodies = server.requests.map(({ text }) => text.replace(/&oauth_.*/, ''));
      expect(bodies).toEqual([form.body, form.body]);
    });

    it.each([400, 401, 403] as const)('Extra Horizon says %i with code 118: isRejected tells', async (status) => {
      await using server = await extraHorizonServer({ tokenRefusal: { status, code: 118 } });
      const call = adapter.attach(rotating(server, { isRejected }));
      server.revokeTokens();
      expect(await call(`${server.origin}/users/v1/me`)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['token_revoked', undefined]);
      expect(new Set(nonces(server)).size).toBe(2);
    });

    it.each([400, 401, 403] as const)('with nothing new to try, the %i reaches the caller whole', async (status) => {
      await using server = await extraHorizonServer({ tokenRefusal: { status } });
      server.expireTokens();
      const answer = await adapter.attach(strategyFor(server, { isRejected }))(`${server.origin}/users/v1/me`);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([status, expect.objectContaining({ code: 118 })]);
      expect(server.requests).toHaveLength(1);
    });

    it('every retry of the caller is signed anew', async () => {
      await using server = await extraHorizonServer();
      const call = adapter.attach(strategyFor(server));
      server.inject({ at: 'api', transform: (answer) => ({ ...answer, status: 503 }), times: 3 });
      for (let attempt = 0; attempt < 4; attempt++) await call(`${server.origin}/users/v1/me`);
      expect(problems(server)).toEqual(Array(4).fill(undefined));
      expect(new Set(nonces(server)).size).toBe(4);
    });
  });

  describe('a clock that is wrong', () => {
    const skews: readonly ExtraHorizonServerOptions[] = [600, -600].flatMap((clockSkewSeconds) =>
      (['header', 'body'] as const).map((problemReporting) => ({ clockSkewSeconds, problemReporting })),
    );

    it.each(skews)('by $clockSkewSeconds s heals with one retry, and stays healed ($problemReporting)', async (options) => {
      await using server = await extraHorizonServer(options);
      const call = adapter.attach(strategyFor(server));
      for (let index = 0; index < 3; index++) expect(await call(`${server.origin}/users/v1/me`)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['timestamp_refused', undefined, undefined, undefined]);
      expect(new Set(nonces(server)).size).toBe(4);
    });

    it('heals as well when the server refuses it with 400, as Magento does', async () => {
      await using server = await extraHorizonServer({ clockSkewSeconds: 600, problemReporting: 'body' });
      const transform: TransformFault['transform'] = (answer) => ({
        ...answer,
        status: answer.status === 401 ? 400 : (answer.status ?? 200),
      });
      server.inject({ at: 'api', transform, times: 2 });
      expect(await adapter.attach(strategyFor(server))(`${server.origin}/users/v1/me`)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['timestamp_refused', undefined]);
    });

    it('heals for 20 calls at once', async () => {
      await using server = await extraHorizonServer({ clockSkewSeconds: 600, problemReporting: 'header' });
      const call = adapter.attach(strategyFor(server));
      const answers = await Promise.all(Array.from({ length: 20 }, () => call(`${server.origin}/users/v1/me`)));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      expect(server.requests.length).toBeLessThanOrEqual(40);
    });

    it('heals again when the server changes its clock', async () => {
      let skewMs = 600_000;
      await using server = await extraHorizonServer({ now: () => Date.now() + skewMs, problemReporting: 'header' });
      const call = adapter.attach(strategyFor(server));
      await call(`${server.origin}/users/v1/me`);
      skewMs = 0;
      expect(await call(`${server.origin}/users/v1/me`)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['timestamp_refused', undefined, 'timestamp_refused', undefined]);
    });

    it.each([
      ['says our own time', () => new Date().toUTCString()],
      ['says nothing', () => 'never'],
    ])('and a Date that %s: the error names the clock', async (_, date) => {
      await using server = await extraHorizonServer({ clockSkewSeconds: 600, problemReporting: 'header' });
      const transform: TransformFault['transform'] = (answer) => ({ ...answer, headers: { ...answer.headers, Date: date() } });
      server.inject({ at: 'api', transform, times: Number.POSITIVE_INFINITY });
      const error = await errorOf(adapter.attach(strategyFor(server))(`${server.origin}/users/v1/me`));
      expect(error).toMatchObject({ name: 'OAuth1Error', oauthProblem: 'timestamp_refused', message: expect.stringMatching(/clock/i) });
      expect(server.requests).toHaveLength(1);
    });
  });

  describe('errors name the cause', () => {
    const wrongs: readonly [string, Partial<OAuth1Options>, ExtraHorizonServerOptions, string, RegExp][] = [
      ['a wrong token secret', { tokenSecret: 'wrong' }, {}, 'signature_invalid', /tokenSecret/],
      ['a wrong consumer secret', { consumerSecret: 'wrong' }, {}, 'signature_invalid', /consumerSecret/],
      ['a consumer key of another system', { consumerKey: 'other' }, {}, 'consumer_key_unknown', /consumerKey/],
      ['a token of another system', { token: 'other' }, {}, 'token_rejected', /`token`/],
      ['a method that is not taken', { signatureMethod: 'PLAINTEXT' }, SHA256_ONLY, 'signature_method_rejected', /signatureMethod/],
      ['a key that is not registered', { signatureMethod: 'RSA-SHA256', privateKey }, {}, 'signature_invalid', /./],
      ['a nonce that repeats itself', { nonce: () => 'same', timestampSeconds: () => FIXED_SECONDS }, FIXED_CLOCK, 'nonce_used', /nonce/],
    ];
    it.each(wrongs)('%s', async (_, wrong, options, oauthProblem, hint) => {
      for (const problemReporting of ['header', 'body'] as const) {
        await using server = await extraHorizonServer({ problemReporting, ...options });
        const strategy = strategyFor(server, wrong);
        const call = () => adapter.attach(strategy)(`${server.origin}/users/v1/me`);
        if (oauthProblem === 'nonce_used') await call();
        const error = await errorOf(call());
        expect(error).toMatchObject({ name: 'OAuth1Error', code: 'OAUTH1_REJECTED', strategy: 'oauth1', oauthProblem });
        expect(error.message).toMatch(hint);
        const { consumerSecret, tokenSecret } = server;
        expect(findSecret(error, [consumerSecret, tokenSecret, privateKey])).toEqual([]);
      }
    });

    it('a URL that was changed after it was signed', async () => {
      await using server = await extraHorizonServer({ problemReporting: 'header' });
      const proxy = ((input: string | URL | Request, init?: RequestInit) => {
        const url = new URL(input instanceof Request ? input.url : input);
        url.searchParams.append('utm_source', 'proxy');
        return fetch(url, init);
      }) as typeof fetch;
      const error = await errorOf(withAuth(proxy, strategyFor(server))(`${server.origin}/users/v1/me?a=1`));
      expect(error).toMatchObject({ name: 'OAuth1Error', oauthProblem: 'signature_invalid' });
      expect(error.message).toMatch(/URL/);
      expect(findSecret(error, [server.consumerSecret, server.tokenSecret])).toEqual([]);
    });

    const pem = (type: 'ec' | 'ed25519') => {
      const { privateKey: key } = type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
      return key.export({ type: 'pkcs8', format: 'pem' }).toString();
    };
    it.each([
      ['an elliptic curve', pem('ec')],
      ['Ed25519', pem('ed25519')],
      ['a public key', publicKey],
      ['no key at all', 'not a key'],
    ])('an unsupported key: %s', async (_, key) => {
      await using server = await extraHorizonServer();
      expect(() => strategyFor(server, { signatureMethod: 'RSA-SHA1', privateKey: key })).toThrowError(
        expect.objectContaining({ name: 'ConfigurationError', option: 'privateKey', message: expect.stringMatching(/RSA private key/) }),
      );
    });
  });
});

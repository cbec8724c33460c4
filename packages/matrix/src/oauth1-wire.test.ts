// OAuth 1 over real sockets, against a server that verifies signatures with code of its own.
import type { SignatureMethod } from '@authseam/auth-oauth1';
import { extraHorizonServer } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import { form, nonces, PLACEMENTS, problems, rsaKeys, strategyFor } from './fixtures/oauth1-subject.ts';
import { type BodyKind, signableRequests } from './fixtures/signable-requests.ts';

const METHODS: readonly SignatureMethod[] = [
  ...(['HMAC-SHA1', 'HMAC-SHA256', 'HMAC-SHA512', 'RSA-SHA1', 'RSA-SHA256', 'RSA-SHA512'] as const),
  'PLAINTEXT',
];

const { privateKey, publicKey } = rsaKeys();

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
});

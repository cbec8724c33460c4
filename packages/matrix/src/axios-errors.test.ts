import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import type { AuthStrategy } from '@authseam/core';
import { findSecret, plantSecret } from '@authseam/testing';
import axios, { type AxiosRequestConfig, isAxiosError, isCancel } from 'axios';
import { describe, expect, it, vi } from 'vitest';

import {
  attached,
  attachedOver,
  failure,
  header,
  headerKey,
  lateToken,
  rejectFirstToken,
  rotatingTokens,
  server,
  serving,
  startServers,
} from './fixtures/axios-subject.ts';

startServers();

describe.each(['http', 'fetch'] as const)('the %s adapter', (adapter) => {
  const attached = attachedOver(adapter);

  describe('errors', () => {
    it("a second 401 is axios's own error, with the caller's config and no credential", async () => {
      const token = plantSecret('credential');
      server.inject({ status: 401, body: { reason: 'no' }, times: Number.POSITIVE_INFINITY });
      const ours = await failure(attached(bearerToken({ token: async () => token })).post('/i', { a: 1 }, { headers: { 'X-Mine': '1' } }));
      const bare = await failure(axios.create({ baseURL: server.origin, adapter }).post('/i', { a: 1 }, { headers: { 'X-Mine': '1' } }));
      expect(header('authorization')).toEqual([`Bearer ${token}`, `Bearer ${token}`, undefined]);
      if (!isAxiosError(ours) || !isAxiosError(bare)) return expect.unreachable();
      for (const name of ['name', 'message', 'code', 'status'] as const) expect(ours[name]).toBe(bare[name]);
      expect(ours.response!.data).toEqual(bare.response!.data);
      for (const name of ['url', 'baseURL', 'method', 'data', 'adapter', 'maxRedirects', 'validateStatus'] as const) {
        expect([name, ours.config![name]]).toEqual([name, bare.config![name]]);
      }
      expect(ours.config!.headers.get('X-Mine')).toBe('1');
      expect(ours.response!.config).toBe(ours.config);
      expect(ours.request).toBeDefined();
      expect(Object.keys(ours)).not.toContain('request');
      expect(Object.keys(ours.response!)).not.toContain('request');
      const shown = [
        inspect(ours, { depth: 20 }),
        JSON.stringify(ours),
        JSON.stringify(ours.toJSON()),
        ours.stack,
        inspect(ours.config, { depth: 20 }),
      ];
      expect(findSecret(shown.join('\n'), [token])).toEqual([]);
    });

    it('a response shows no credential either', async () => {
      const token = plantSecret('credential');
      const response = await attached(bearerToken({ token })).get('/i', { responseType: 'json' });
      response.data = undefined; // the echo
      expect(findSecret(inspect(response, { depth: 20 }), [token])).toEqual([]);
      expect(response.request).toBeDefined();
      expect(response.config.headers.has('Authorization')).toBe(false);
    });

    it('a stream that breaks off later shows none either', async () => {
      const token = plantSecret('credential');
      server.inject({ status: 200, body: 'x'.repeat(300_000), times: 2 });
      const drained = async (data: AsyncIterable<unknown>): Promise<void> => {
        for await (const _ of data);
      };
      for (const strategy of [bearerToken({ token }), apiKey({ key: token, in: 'query', name: 'key' })]) {
        const call = attached(strategy).get('/i', { responseType: 'stream', maxContentLength: 1_000 });
        const error: unknown = await call.then(({ data }) => drained(data)).catch((reason) => reason);
        if (error === undefined) return; // axios of old lets streams pass
        if (!isAxiosError(error)) return expect.unreachable();
        expect(findSecret(inspect(error.config, { depth: 20 }) + JSON.stringify(error.toJSON()), [token])).toEqual([]);
      }
    });

    it('a connection that fails is as with bare axios', async () => {
      server.inject({ reset: 'before-headers' as never, times: 2 });
      const token = plantSecret('credential');
      const ours = await failure(attached(bearerToken({ token })).get('/i'));
      const bare = await failure(axios.create({ baseURL: server.origin, adapter }).get('/i'));
      expect({ ...ours, config: 0, request: 0 }).toEqual({ ...bare, config: 0, request: 0 });
      expect([ours.name, ours.message]).toEqual([bare.name, bare.message]);
      expect(findSecret(inspect(ours, { depth: 20 }), [token])).toEqual([]);
    });

    it.each([
      ['accepting all', () => true],
      ['off', null],
    ] as const)('validateStatus %s: the second 401 resolves', async (_, validateStatus) => {
      server.inject({ status: 401, times: Number.POSITIVE_INFINITY });
      const response = await attached(bearerToken({ token: async () => 'x' })).get('/i', { validateStatus });
      expect(response.status).toBe(401);
      expect(server.requests).toHaveLength(2);
    });

    it('asks validateStatus once, for the answer that is delivered', async () => {
      rejectFirstToken();
      const validateStatus = vi.fn((status: number) => status < 300);
      await attached(rotatingTokens()).get('/redirect/302?to=/i', { validateStatus });
      expect(validateStatus.mock.calls).toEqual([[200]]);
      validateStatus.mockClear();
      await attached(rotatingTokens(), { headers: { Authorization: 'Mine' } }).get('/i', { validateStatus });
      expect(validateStatus.mock.calls).toEqual([[200]]);
    });

    it('an error of ours is ours', async () => {
      const instance = attached({ name: 'broken', specVersion: 1, authorize: () => Promise.reject(new Error('vault is sealed')) });
      const seen = vi.fn();
      instance.interceptors.response.use(undefined, (error) => {
        seen(error);
        throw error;
      });
      const error = await failure(instance.get('/i'));
      expect(error).toMatchObject({ code: 'STRATEGY_FAILED', strategy: 'broken' });
      expect(seen).toHaveBeenCalledExactlyOnceWith(error);
      expect(isAxiosError(error)).toBe(false);
    });
  });

  describe('aborts and timeouts', () => {
    const never = (): AuthStrategy => ({ name: 'never', specVersion: 1, authorize: () => new Promise(() => {}) });

    it('an AbortSignal ends the wait for a token as axios ends a request', async () => {
      const controller = new AbortController();
      const call = attached(never()).get('/i', { signal: controller.signal });
      setTimeout(() => controller.abort(), 5);
      const error = await failure(call);
      expect(isCancel(error)).toBe(true);
      expect(error).toMatchObject({ code: 'ERR_CANCELED' });
      expect(server.requests).toHaveLength(0);
    });

    it('a CancelToken does, alone and beside a signal, and keeps no listener', async () => {
      for (const signal of [undefined, new AbortController().signal]) {
        const source = axios.CancelToken.source();
        const call = attached(never()).get('/i', { cancelToken: source.token, ...(signal && { signal }) });
        setTimeout(() => source.cancel('enough'), 5);
        const error = await failure(call);
        expect(isCancel(error)).toBe(true);
        expect(error.message).toBe('enough');
      }
      expect(server.requests).toHaveLength(0);
      const { token } = axios.CancelToken.source();
      await attached(lateToken()).get('/i', { cancelToken: token });
      expect((token as unknown as { _listeners?: unknown[] })._listeners ?? []).toEqual([]);
    });

    it('an aborted signal sends nothing and asks nobody', async () => {
      const authorize = vi.fn(() => ({}));
      const error = await failure(attached({ name: 'asked', specVersion: 1, authorize }).get('/i', { signal: AbortSignal.abort() }));
      expect(isCancel(error)).toBe(true);
      expect([authorize.mock.calls.length, server.requests.length]).toEqual([0, 0]);
    });

    it('`timeout` covers the wait for a token, with the error of axios', async () => {
      const error = await failure(attached(never(), { timeout: 40 }).get('/i'));
      expect(error).toMatchObject({
        name: 'AxiosError',
        code: adapter === 'http' ? 'ECONNABORTED' : 'ETIMEDOUT',
        message: 'timeout of 40ms exceeded',
      });
      const clear = await failure(
        attached(never(), { timeout: 40, timeoutErrorMessage: 'too slow', transitional: { clarifyTimeoutError: true } }).get('/i'),
      );
      expect(clear).toMatchObject({ code: 'ETIMEDOUT', message: 'too slow' });
      expect(server.requests).toHaveLength(0);
    });

    it('`timeout` covers wait and request together', async () => {
      server.inject({ delayMs: 150 });
      const slow = bearerToken({ token: () => new Promise((resolve) => setTimeout(() => resolve('slow'), 150)) });
      const error = await failure(attached(slow, { timeout: 200 }).get('/i'));
      const code = adapter === 'http' ? 'ECONNABORTED' : 'ETIMEDOUT';
      expect(error).toMatchObject({ name: 'AxiosError', code, config: { timeout: 200 } });
      expect(error.message).toMatch(/^timeout (of 200ms|200 of ms) exceeded$/);
    });

    it('`timeoutMs` of ours wins where it is shorter', async () => {
      expect(await failure(attached(never(), { timeout: 5_000 }, { timeoutMs: 20 }).get('/i'))).toMatchObject({ code: 'AUTH_TIMEOUT' });
    });

    it('an abort between a rejection and its replay sends nothing more', async () => {
      const controller = new AbortController();
      server.inject({ status: 401, times: 5 });
      const strategy: AuthStrategy = {
        name: 'leaving',
        specVersion: 1,
        authorize: () => ({ headers: { Authorization: 'Leaving 1' } }),
        recover: () => {
          controller.abort();
          return true;
        },
      };
      expect(isCancel(await failure(attached(strategy).get('/i', { signal: controller.signal })))).toBe(true);
      expect(server.requests).toHaveLength(1);
    });
  });

  describe('streams', () => {
    it('a rejected stream is given up: one socket is enough', async () => {
      rejectFirstToken({ body: 'x'.repeat(500_000) });
      const { Agent } = await import('node:http');
      const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
      const response = await attached(rotatingTokens(), { httpAgent, responseType: 'stream' }).get('/i', { timeout: 3_000 });
      expect(response.status).toBe(200);
      for await (const _ of response.data);
      httpAgent.destroy();
    });

    it('a strategy reads the beginning of a stream, the caller gets all of it', async () => {
      const text = 'é'.repeat(200_000);
      server.inject({ status: 400, body: text, times: 2 });
      const seen: string[] = [];
      const strategy: AuthStrategy = {
        name: 'quirk',
        specVersion: 1,
        authorize: () => ({ headers: { Authorization: 'Quirk 1' } }),
        isRejected: async (response) => {
          seen.push(await response.text());
          return false;
        },
      };
      const response = await attached(strategy, { responseType: 'stream', validateStatus: null }).get('/i');
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.data) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe(text);
      expect(text.startsWith(seen[0]!.slice(0, 30_000))).toBe(true);
      expect(seen[0]!.length).toBeLessThanOrEqual(65_536);
    });

    it.each(['json', 'text', 'arraybuffer', 'blob', 'stream'] as const)(
      'a strategy reads a rejection of responseType %s',
      async (responseType) => {
        server.inject({ status: 403, body: { code: 118 }, times: 1 });
        const strategy: AuthStrategy = {
          name: 'quirk',
          specVersion: 1,
          authorize: () => ({ headers: { Authorization: 'Quirk 1' } }),
          isRejected: async (response) => ((await response.json()) as { code: number }).code === 118,
          recover: () => true,
        };
        if (adapter === 'http' && responseType === 'blob') return; // Node's http adapter has no blobs
        expect((await attached(strategy, { responseType }).get('/i')).status).toBe(200);
        expect(server.requests).toHaveLength(2);
      },
    );
  });
});

describe('the http adapter alone', () => {
  it('an abort while a stream is read shows no credential, and neither does the stream', async () => {
    await using own = await serving((_, response) => void response.writeHead(200).write('x'));
    const token = plantSecret('credential');
    const controller = new AbortController();
    const response = await attached(bearerToken({ token }), { baseURL: own.origin }).get('/', {
      responseType: 'stream',
      signal: controller.signal,
    });
    expect(findSecret(inspect(response), [token])).toEqual([]);
    setTimeout(() => controller.abort(), 20);
    const error = await failure(
      (async () => {
        for await (const _ of response.data);
      })(),
    );
    expect(findSecret(inspect((error as { config?: unknown }).config, { depth: 20 }), [token])).toEqual([]);
  });

  it('a cause that is an axios error is cleaned as well', async () => {
    const token = plantSecret('credential');
    const call = attached(bearerToken({ token })).post('/i', Readable.from([Buffer.alloc(5_000)]), {
      maxBodyLength: 1_000,
      maxRedirects: 0,
    });
    const error = await call.then(
      () => undefined, // axios of old lets streams pass
      (reason: Error) => reason,
    );
    expect(findSecret(inspect(error, { depth: 20 }), [token])).toEqual([]);
  });

  it('`timeout` covers a connection that does not come about', async () => {
    const config = { baseURL: '', timeout: 200, lookup: () => {} } as AxiosRequestConfig;
    expect(await failure(attached(headerKey(), config).get('http://localhost:1/x'))).toMatchObject({ code: 'ECONNABORTED' });
  });

  it('a stream that was read by the strategy is the caller’s to destroy', async () => {
    await using own = await serving((_, response) => void response.writeHead(400).write('x'.repeat(100_000)));
    const strategy: AuthStrategy = {
      name: 'quirk',
      specVersion: 1,
      authorize: () => ({ headers: { Authorization: 'Quirk 1' } }),
      isRejected: async (response) => !(await response.text()),
    };
    const { data } = await attached(strategy, { baseURL: own.origin, responseType: 'stream', validateStatus: null }).get('/');
    data.destroy();
    await expect.poll(own.sockets).toBe(0);
  });
});

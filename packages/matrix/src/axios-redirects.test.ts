import { Agent } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import type { AuthEvent } from '@authseam/core';
import { findSecret, plantSecret } from '@authseam/testing';
import axios, { type AxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';

import {
  attached,
  attachedOver,
  failure,
  header,
  headerKey,
  other,
  queryKey,
  server,
  serving,
  startServers,
} from './fixtures/axios-subject.ts';

startServers();

describe.each(['http', 'fetch'] as const)('the %s adapter', (adapter) => {
  const attached = attachedOver(adapter);

  describe('where credentials go', () => {
    it('to the origin of `baseURL`; an absolute URL elsewhere gets nothing, and an event says so', async () => {
      const events: AuthEvent[] = [];
      const instance = attached(apiKey({ key: 'k' }), {}, { onEvent: (event) => events.push(event) });
      await instance.get('/a');
      await instance.get(`${server.origin}/a`);
      await instance.get(`${other.origin}/a`);
      await instance.get('/a', { baseURL: other.origin });
      expect(header('x-api-key')).toEqual(['k', 'k']);
      expect(other.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined, undefined]);
      const bare = { type: 'request-bare', strategy: 'apiKey', origin: other.origin, reason: 'origin-not-allowed' };
      expect(events).toEqual([bare, bare]);
    });

    it('without `baseURL` wherever the caller addresses the request', async () => {
      const instance = attached(apiKey({ key: 'k' }), { baseURL: '' });
      await instance.get(`${server.origin}/a`);
      await instance.get('/a', { baseURL: other.origin });
      expect([...header('x-api-key'), other.requests[0]!.headers['x-api-key']]).toEqual(['k', 'k']);
    });

    it('follows a `baseURL` that is changed later', async () => {
      const instance = attached(apiKey({ key: 'k' }));
      await instance.get('/a');
      instance.defaults.baseURL = other.origin;
      await instance.get('/a');
      await instance.get(`${server.origin}/a`);
      expect([header('x-api-key'), other.requests[0]!.headers['x-api-key']]).toEqual([['k', undefined], 'k']);
    });

    it('to `origins` where they are given', async () => {
      const instance = attached(apiKey({ key: 'k' }), {}, { origins: other.origin });
      await instance.get('/a');
      await instance.get(`${other.origin}/a`);
      expect([header('x-api-key'), other.requests[0]!.headers['x-api-key']]).toEqual([[undefined], 'k']);
    });

    it('`allowAbsoluteUrls: false` stays at home', async () => {
      await attached(apiKey({ key: 'k' })).get(`${other.origin}/a`, { allowAbsoluteUrls: false });
      expect([header('x-api-key'), other.requests.length]).toEqual([['k'], 0]);
    });

    it.each(['auth', 'userinfo', 'userinfo of baseURL'])('%s counts as the caller’s own Authorization', async (place) => {
      const events: AuthEvent[] = [];
      const url = server.origin.replace('://', '://u%20x:p%40@');
      const own: AxiosRequestConfig =
        place === 'auth'
          ? { auth: { username: 'u x', password: 'p@' } }
          : place === 'userinfo'
            ? { url: `${url}/a` }
            : { baseURL: url, url: '/a' };
      const bare = await axios.request({ baseURL: server.origin, adapter, url: '/a', ...own }).catch(() => undefined);
      if (!bare) return; // the fetch adapter of old takes no userinfo
      const [basicOfAxios] = header('authorization');
      server.clearRequests();
      for (const strategy of [bearerToken({ token: 't' }), apiKey({ key: 'k' }), queryKey()]) {
        const instance = attached(strategy, place === 'userinfo of baseURL' ? { baseURL: url } : {}, {
          onEvent: (event) => events.push(event),
        });
        await instance.request({ url: '/a', ...own });
      }
      expect(header('authorization').slice(0, 2)).toEqual([basicOfAxios, basicOfAxios]);
      expect(header('authorization')[2]).toMatch(/^Basic /);
      expect(header('x-api-key')).toEqual([undefined, 'k', undefined]);
      expect(server.requests[2]!.query).toBe('key=k');
      expect(events).toEqual([{ type: 'credential-conflict', strategy: 'bearerToken', place: 'header', name: 'Authorization' }]);
    });

    it('a header of the instance wins, in any case, and `null` is none', async () => {
      await attached(bearerToken({ token: 't' }), { headers: { authorization: 'Mine' } }).get('/a');
      await attached(bearerToken({ token: 't' }), { headers: { common: { AUTHORIZATION: 'Mine' } } as never }).get('/a');
      await attached(bearerToken({ token: 't' })).get('/a', { headers: { authorization: null } as never });
      expect(header('authorization')).toEqual(['Mine', 'Mine', 'Bearer t']);
    });
  });

  describe('redirects', () => {
    const away = (path = '/landed'): string => encodeURIComponent(`${other.origin}${path}`);

    it('end where axios says they do', async () => {
      const response = await attached(queryKey()).get('/redirect/302?to=/landed&repeatQuery=1');
      if (adapter === 'http') expect(response.request.res.responseUrl).toBe(`${server.origin}/landed`);
      expect(server.requests.map(({ path, query }) => `${path}?${query}`)).toEqual([
        '/redirect/302?to=/landed&repeatQuery=1&key=k',
        '/landed?key=k',
      ]);
      expect(response.config.url).toBe('/redirect/302?to=/landed&repeatQuery=1');
    });

    it('stop at `maxRedirects`, none with 0', async () => {
      const loop = '/redirect/302?to=/redirect/302%3Fto%3D/redirect/302%253Fto%253D/landed';
      const ours = await failure(attached(apiKey({ key: 'k' })).get(loop, { maxRedirects: 2 }));
      const code = adapter === 'http' ? 'ERR_FR_TOO_MANY_REDIRECTS' : 'ERR_NETWORK';
      expect(ours).toMatchObject({ name: 'AxiosError', code, message: 'Maximum number of redirects exceeded' });
      expect(server.requests).toHaveLength(3);
      expect((await attached(apiKey({ key: 'k' })).get(loop, { maxRedirects: 3 })).status).toBe(200);
      server.clearRequests();
      const shown = await failure(attached(apiKey({ key: 'k' })).get(loop, { maxRedirects: 0 }));
      expect(shown).toMatchObject({ message: 'Request failed with status code 302', response: { status: 302 } });
      expect(server.requests).toHaveLength(1);
    });

    it('`auth` and `sensitiveHeaders` stay behind at another origin', async () => {
      const config = {
        auth: { username: 'u', password: 'p' },
        headers: { 'X-Secret': 's', 'X-Plain': 'p' },
        sensitiveHeaders: ['x-secret'],
      };
      await attached(apiKey({ key: 'k' })).get(`/redirect/307?to=${away()}`, config as AxiosRequestConfig);
      await attached(apiKey({ key: 'k' })).get('/redirect/307?to=/home', config as AxiosRequestConfig);
      const { headers } = other.requests[0]!;
      expect(headers).toMatchObject({ 'x-plain': 'p' });
      for (const name of ['authorization', 'x-secret', 'x-api-key']) expect(headers[name]).toBeUndefined();
      expect(server.requests.at(-1)!.headers).toMatchObject({ authorization: `Basic ${btoa('u:p')}`, 'x-secret': 's', 'x-api-key': 'k' });
    });

    it('a stream that a 307 asks for again is an error that says so', async () => {
      const error = await failure(attached(apiKey({ key: 'k' })).post('/redirect/307?to=/landed', Readable.from(['x'])));
      expect(error).toMatchObject({ code: 'BODY_NOT_REPLAYABLE' });
      expect(server.requests).toHaveLength(1);
    });
  });
});

describe('the http adapter alone', () => {
  it('`beforeRedirect` sees every hop without our credential, changes it, and may refuse it', async () => {
    const seen: string[] = [];
    const key = plantSecret('credential');
    const instance = attached(apiKey({ key }), {
      beforeRedirect: (options, { statusCode, headers }, { url, method }) => {
        seen.push(
          `${method} ${url} ${statusCode} ${headers['location']} → ${options['method']} ${options['href']} ${JSON.stringify(options['headers'])}`,
        );
        options['headers']['X-Hop'] = '1';
      },
    });
    await instance.get('/redirect/302?to=/landed');
    expect(server.requests.at(-1)!.headers).toMatchObject({ 'x-hop': '1', 'x-api-key': key });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatch(/^GET .*\/redirect\/302\?to=\/landed 302 \/landed → GET http.*\/landed \{/);
    expect(findSecret(seen[0]!, [key])).toEqual([]);
    const refusing = attached(apiKey({ key }), {
      beforeRedirect: () => {
        throw new Error('not there');
      },
    });
    const ours = await failure(refusing.get('/redirect/302?to=/landed'));
    expect(ours).toMatchObject({ name: 'Error', code: 'ERR_FR_REDIRECTION_FAILURE', message: 'not there', isAxiosError: true });
  });

  it('`beforeRedirect` that sends elsewhere takes no credential there', async () => {
    const instance = attached(apiKey({ key: 'k' }), {
      beforeRedirect: (options) => {
        options['port'] = new URL(other.origin).port;
        options['path'] = '/else';
      },
    });
    await instance.get('/redirect/302?to=/landed');
    expect(other.requests.map(({ path, headers }) => [path, headers['x-api-key']])).toEqual([['/else', undefined]]);
  });

  it('a `transport` of the caller’s that follows by itself is kept from it', async () => {
    // axios's own dependency, under no name of ours
    const follow = createRequire(createRequire(import.meta.url).resolve('axios'))('follow-redirects');
    const to = encodeURIComponent(`${other.origin}/landed`);
    const instance = attached(apiKey({ key: 'k' }), { transport: follow.http });
    expect((await instance.get(`/redirect/302?to=${to}`)).status).toBe(200);
    expect(other.requests.map(({ headers }) => headers['x-api-key'])).toEqual([undefined]);
  });

  it('nobody waits for the body of a redirect, or counts it', async () => {
    await using own = await serving((request, response) => {
      if (request.url === '/ok') return response.end('ok');
      response.writeHead(302, { Location: '/ok' });
      return response.write('x'.repeat(500));
    });
    const progress: number[] = [];
    const { data } = await attached(headerKey(), { baseURL: own.origin, timeout: 3_000 }).get('/away', {
      maxContentLength: 50,
      onDownloadProgress: ({ loaded }) => progress.push(loaded),
    });
    expect([data, Math.max(...progress)]).toEqual(['ok', 2]);
  });

  it('a redirect that cannot be taken holds no socket', async () => {
    const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
    const instance = attached(headerKey(), { httpAgent, responseType: 'stream', timeout: 3_000 });
    expect(await failure(instance.post('/redirect/307?to=/a', Readable.from(['x'])))).toMatchObject({ code: 'BODY_NOT_REPLAYABLE' });
    expect((await instance.get('/a')).status).toBe(200);
    httpAgent.destroy();
  });

  it('`beforeRedirect` may sign in, and change the method', async () => {
    const instance = attached(headerKey(), {
      beforeRedirect: (options) => {
        options['auth'] = 'user:pass:word';
        options['method'] = 'PUT';
      },
    });
    await instance.get('/redirect/302?to=/landed');
    expect(server.requests.at(-1)).toMatchObject({
      method: 'PUT',
      headers: { authorization: `Basic ${btoa('user:pass:word')}`, 'x-api-key': 'k' },
    });
  });

  it('`maxRedirects` counts on when a chain goes bare', async () => {
    const inner = encodeURIComponent('/redirect/302?to=/end');
    const away = encodeURIComponent(`${other.origin}/redirect/302?to=${inner}`);
    const error = await failure(attached(headerKey()).get(`/redirect/302?to=${away}`, { maxRedirects: 2 }));
    expect(error).toMatchObject({ code: 'ERR_FR_TOO_MANY_REDIRECTS' });
    expect((await attached(headerKey()).get(`/redirect/302?to=${away}`, { maxRedirects: 3 })).status).toBe(200);
  });
});

it('`fetchOptions.redirect` is the caller’s word', async () => {
  const instance = attached(headerKey(), { adapter: 'fetch' });
  const config = { fetchOptions: { redirect: 'manual' }, validateStatus: null } as AxiosRequestConfig;
  const response = await instance.post('/redirect/307?to=/landed', { a: 1 }, config);
  expect([response.status, server.requests.length]).toEqual([307, 1]);
});

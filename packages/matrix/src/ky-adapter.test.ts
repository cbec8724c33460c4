// What only the ky adapter has: ky's `fetch` option below ours, and its instances, hooks and shortcuts around it.
import { withAuth as withFetchAuth } from '@authseam/adapter-fetch';
import { withAuth } from '@authseam/adapter-ky';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { oauth1 } from '@authseam/auth-oauth1';
import { type AuthEvent, byOrigin } from '@authseam/core';
import { extraHorizonServer } from '@authseam/testing';
import ky, { type Options } from 'ky';
import { describe, expect, it, vi } from 'vitest';
import { acceptOnly, bodies, eager, errorOf, header, other, rotating, server, startServers, url } from './fixtures/ky-subject.ts';

startServers();

it('is the only one that takes ky: in the one for fetch, its shortcuts and instances would go out bare', () => {
  const refused = expect.objectContaining({ code: 'CONFIGURATION_ERROR', message: 'This is ky: use `withAuth` of @authseam/adapter-ky.' });
  // @ts-expect-error the type says so, too
  expect(() => withFetchAuth(ky, apiKey({ key: 'k' }))).toThrow(refused);
  // @ts-expect-error of an instance as well
  expect(() => withFetchAuth(withAuth(ky, apiKey({ key: 'k' })).extend({ retry: 0 }), apiKey({ key: 'k' }))).toThrow(refused);
});

describe('the `fetch` option', () => {
  it('is composed with the one that the user had, which sees what goes out and no `authStrategy`', async () => {
    const seen: { authorization: string | null; init: object | undefined }[] = [];
    const traced = ky.create({
      fetch: (input, init) => {
        seen.push({ authorization: new Request(input, init).headers.get('authorization'), init });
        return fetch(input, init);
      },
    });
    const api = withAuth(traced, bearerToken({ token: 'default-token' }));
    await api(url(), { priority: 'low' });
    await api(url(), { authStrategy: bearerToken({ token: 'other-token' }) });
    await api(url(), { authStrategy: false });
    expect(seen.map(({ authorization }) => authorization)).toEqual(['Bearer default-token', 'Bearer other-token', null]);
    expect(seen[0]?.init).toMatchObject({ priority: 'low' });
    for (const { init } of seen) expect(Object.keys(init ?? {})).not.toContain('authStrategy');
    expect(header('authorization')).toEqual(['Bearer default-token', 'Bearer other-token', undefined]);
  });

  it.each(Object.keys(bodies))(
    'of the user gets a Request each time, as from ky: also for a replay of %s and on a redirect',
    async (kind) => {
      acceptOnly('t2');
      const inputs: unknown[] = [];
      const plain = ky.create({
        // Says nothing of a second argument, as a test double or another server's handler would.
        fetch: (input) => {
          inputs.push(input);
          return fetch(input);
        },
      });
      await withAuth(plain, rotating().strategy).post(url('/redirect/308?to=/landed'), bodies[kind]!());
      expect(inputs.map((input) => input instanceof Request)).toEqual([true, true, true]);
      expect(header('authorization')).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t2']);
      const [first, ...rest] = server.requests;
      for (const { body, method, headers } of rest) {
        expect([body, method]).toEqual([first!.body, 'POST']);
        expect(headers['content-type']).toBe(first!.headers['content-type']);
      }
    },
  );

  it("is, without one of the user's, the global fetch of the moment, as in ky itself", async () => {
    const api = withAuth(ky, apiKey({ key: 'k' }));
    vi.stubGlobal('fetch', async () => new Response('stubbed'));
    expect(await api(url()).text()).toBe('stubbed');
  });

  it('that is set later takes the place of ours, unless it is composed', async () => {
    const api = withAuth(ky, apiKey({ key: 'k' }));
    let calls = 0;
    const counted = api.extend(({ fetch: parent }) => ({
      fetch: (input, init) => {
        calls += 1;
        return parent!(input, init);
      },
    }));
    await counted(url());
    await api.extend({ fetch })(url());
    await api(url(), { fetch });
    expect(header('x-api-key')).toEqual(['k', undefined, undefined]);
    expect(calls).toBe(1);
  });
});

describe('instances', () => {
  it('that extend ours are authorized, those that `create` makes are not', async () => {
    const api = withAuth(ky, apiKey({ key: 'k' }));
    const child = api.extend({ headers: { 'x-a': '1' } }).extend(() => ({ headers: { 'x-b': '2' } }));
    await child(url());
    await child.create({ headers: { 'x-c': '3' } })(url());
    expect(server.requests.map(({ headers }) => [headers['x-api-key'], headers['x-a'], headers['x-b'], headers['x-c']])).toEqual([
      ['k', '1', '2', undefined],
      [undefined, undefined, undefined, '3'],
    ]);
  });

  it.each([
    ['prefix', (origin: string) => ({ prefix: `${origin}/v1` }), '/v1/items'],
    ['baseUrl', (origin: string) => ({ baseUrl: `${origin}/v1/` }), '/v1/items'],
  ])('with a `%s` send credentials wherever the caller addresses a request, or to `origins`', async (_, at, path) => {
    const anywhere = withAuth(ky.create(at(server.origin)), apiKey({ key: 'k' }));
    await anywhere('items');
    await anywhere(new URL(`${other.origin}/items`));
    expect([server, other].map(({ requests }) => [requests[0]?.path, requests[0]?.headers['x-api-key']])).toEqual([
      [path, 'k'],
      ['/items', 'k'],
    ]);
    const limited = withAuth(ky.create(at(server.origin)), apiKey({ key: 'k' }), { origins: server.origin });
    await limited('items');
    await limited(new URL(`${other.origin}/items`));
    expect([server, other].map(({ requests }) => requests[1]?.headers['x-api-key'])).toEqual(['k', undefined]);
  });

  it('that are attached to twice send one credential', async () => {
    const first = withAuth(ky, apiKey({ key: 'first' }), { origins: server.origin });
    await withAuth(first, bearerToken({ token: 'second' }))(url());
    expect(server.requests.map(({ headers }) => [headers['x-api-key'], headers['authorization']])).toEqual([[undefined, 'Bearer second']]);
  });
});

describe('`authStrategy` of a request', () => {
  it('arrives as the object that it is, through shortcuts and `init` hooks: byOrigin keeps its origins', async () => {
    const events: AuthEvent[] = [];
    const init = vi.fn();
    const api = withAuth(ky, apiKey({ key: 'default-key' }), { onEvent: (event) => events.push(event) }).extend({
      hooks: { init: [init] },
    });
    const authStrategy = byOrigin({ [server.origin]: apiKey({ key: 'own-key' }) });
    await api.post(url(), { authStrategy, json: { a: 1 } });
    await api.get(`${other.origin}/items`, { authStrategy });
    expect([server, other].map(({ requests }) => requests[0]?.headers['x-api-key'])).toEqual(['own-key', undefined]);
    expect(events).toMatchObject([{ type: 'request-bare', strategy: 'byOrigin', reason: 'origin-not-allowed' }]);
    expect(init.mock.calls[0]?.[0].authStrategy).toBe(authStrategy);
  });

  it('can be chosen by an `init` hook', async () => {
    const choose = (options: Options): void => {
      if (options.context?.['isPublic']) options.authStrategy = false;
    };
    const api = withAuth(ky, apiKey({ key: 'k' })).extend({ hooks: { init: [choose] } });
    await api(url(), { context: { isPublic: true } });
    await api(url());
    expect(header('x-api-key')).toEqual([undefined, 'k']);
  });

  it('that is no strategy is a ConfigurationError, and nothing is sent', async () => {
    const api = withAuth(eager, apiKey({ key: 'k' }));
    for (const wrong of [null, true, {}]) {
      await expect(api(url(), { authStrategy: wrong as never })).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'strategy' });
    }
    expect(server.requests).toEqual([]);
  });
});

describe('hooks', () => {
  it('that set the same header win, with an event and no recovery', async () => {
    const events: AuthEvent[] = [];
    const { strategy, count } = rotating();
    acceptOnly('never');
    const api = withAuth(ky, strategy, { onEvent: (event) => events.push(event) }).extend({
      hooks: { beforeRequest: [({ request }) => request.headers.set('authorization', 'Mine 1')] },
    });
    expect(await errorOf(api(url()))).toMatchObject({ name: 'HTTPError' });
    expect(header('authorization')).toEqual(['Mine 1']);
    expect(events.filter(({ strategy: name }) => name === 'tokens')).toMatchObject([
      { type: 'credential-conflict', name: 'Authorization' },
    ]);
    expect(count()).toBe(1);
  });

  it('that change the URL or the headers do so before anything is signed', async () => {
    await using horizon = await extraHorizonServer();
    const { consumerKey, consumerSecret, token, tokenSecret, origin } = horizon;
    const api = withAuth(
      ky.create({ prefix: origin, searchParams: { a: "it's" } }),
      oauth1({ consumerKey, consumerSecret, token, tokenSecret }),
    );
    const moved = api.extend({ hooks: { beforeRequest: [({ request }) => new Request(`${request.url}&late=1+%2B`, request)] } });
    expect((await moved('users/v1/me')).status).toBe(200);
    expect(horizon.verdicts.map(({ refusal }) => refusal)).toEqual([undefined]);
    expect(horizon.requests[0]?.query).toBe('a=it%27s&late=1+%2B');
  });

  it('see the answer to the replay and not the rejection before it, and no credential on the request', async () => {
    const { strategy } = rotating();
    acceptOnly('t2');
    const seen: [number, string | null][] = [];
    const api = withAuth(ky, strategy).extend({
      hooks: { afterResponse: [({ request, response }) => void seen.push([response.status, request.headers.get('authorization')])] },
    });
    await api(url());
    expect(seen).toEqual([[200, null]]);
  });

  it('that answer themselves ask nobody for a credential', async () => {
    const api = withAuth(ky, apiKey({ key: () => expect.unreachable() }));
    const cached = api.extend({ hooks: { beforeRequest: [() => new Response('cached')] } });
    expect(await cached(url()).text()).toBe('cached');
    expect(server.requests).toEqual([]);
  });
});

describe('shortcuts', () => {
  it('set the Accept header, read the body and check it, as without us', async () => {
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value: { checked: value } }) } };
    const api = withAuth(ky, rotating().strategy);
    acceptOnly('t2');
    expect(await api(url()).json(schema)).toMatchObject({ checked: { method: 'GET' } });
    expect(header('accept')).toEqual(['application/json', 'application/json']);
  });

  it('and progress of the download, `keepalive` and other settings of fetch arrive', async () => {
    const progress: number[] = [];
    const init: (RequestInit | undefined)[] = [];
    const traced = ky.create({
      fetch: (input, given) => {
        const { keepalive, credentials, mode } = new Request(input instanceof Request ? input.clone() : input, given);
        init.push({ keepalive, credentials, mode });
        return fetch(input, given);
      },
    });
    acceptOnly('t2');
    const settings = { keepalive: true, credentials: 'omit', mode: 'same-origin' } as const;
    const response = await withAuth(traced, rotating().strategy).post(url(), {
      ...settings,
      json: {},
      onDownloadProgress: ({ percent }) => progress.push(percent),
    });
    expect(await response.json()).toMatchObject({ method: 'POST' });
    expect(progress.at(-1)).toBe(1);
    expect(init).toEqual([settings, settings]);
  });

  it('refuse a user name in the URL before we see it: ky cannot make a Request of it', async () => {
    const api = withAuth(ky, apiKey({ key: () => expect.unreachable() }));
    expect(() => api(url().replace('//', '//user:pw@'))).toThrow(TypeError);
  });
});

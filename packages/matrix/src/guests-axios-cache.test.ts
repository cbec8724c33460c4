// axios-cache-interceptor beside us. It knows nothing of credentials: what it takes for the same request is for whoever sets it up to say.
// The recipes of docs/guests.md never serve one user's answer to another; what would is shown as well, so that a change of either side is seen.
import { attachAuth } from '@authseam/adapter-axios';
import { bearerToken } from '@authseam/auth-api-key';
import { type AuthStrategy, createTokenManager, fromTokenSource, isAuthError } from '@authseam/core';
import { findSecret, type LoopbackServer, loopbackServer, plantSecret } from '@authseam/testing';
import axios, { type AxiosInstance } from 'axios';
import { type AxiosCacheInstance, buildKeyGenerator, buildMemoryStorage, type CacheOptions, setupCache } from 'axios-cache-interceptor';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

declare module 'axios' {
  interface AxiosRequestConfig<D, P> {
    /** Whose request it is: what the cache keeps apart. */
    user?: string | undefined;
  }
}

let server: LoopbackServer;
/** What the server adds to every answer. */
let headers: Record<string, string>;

beforeAll(async () => {
  server = await loopbackServer({
    routes: {
      '*': ({ headers: { authorization = 'nobody', 'if-none-match': known } }) =>
        known && known === headers['ETag'] ? { status: 304 } : { headers, body: { who: authorization } },
    },
  });
});
beforeEach(() => {
  headers = { 'Cache-Control': 'max-age=60' };
  server.clearRequests();
  server.clearFaults();
});
afterAll(async () => {
  await server.close();
});

const alice = bearerToken({ token: 'alice' });
const bob = bearerToken({ token: 'bob' });

/** Tokens t1, t2, … of one user. */
function rotatingTokens(): { strategy: AuthStrategy; count: () => number } {
  let count = 0;
  const source = createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: `t${++count}`, tokenType: 'Bearer' }) });
  return { strategy: fromTokenSource(source, { name: 'tokens' }), count: () => count };
}

function acceptOnly(token: string): void {
  server.inject({ status: 401, times: Number.POSITIVE_INFINITY, when: ({ headers }) => headers['authorization'] !== `Bearer ${token}` });
}

type Plug = (strategy: AuthStrategy, options?: CacheOptions) => AxiosCacheInstance;

const cached: Plug = (strategy, options) => {
  const api = setupCache(axios.create({ baseURL: server.origin }), options);
  attachAuth(api, strategy);
  return api;
};
const orders: [string, Plug][] = [
  ['before', cached],
  [
    'after',
    (strategy, options) => {
      const instance = axios.create({ baseURL: server.origin });
      attachAuth(instance, strategy);
      return setupCache(instance, options);
    },
  ],
];

type Get = (path: string, user: 'alice' | 'bob' | undefined) => Promise<string>;
const who = (call: Promise<{ data: { who: string } }>): Promise<string> => call.then(({ data }) => data.who);

describe.each(orders)('setupCache %s attachAuth', (_, plug) => {
  it('sends once and answers from the cache, which holds no credential', async () => {
    const secret = plantSecret('token');
    headers['ETag'] = '"1"';
    server.inject({ transform: (answer) => ({ ...answer, body: { ok: true } }), times: 9 });
    const api = plug(bearerToken({ token: secret }));
    const [first, second] = [await api.get('/items'), await api.get('/items')];
    expect([first.cached, second.cached, second.data]).toEqual([false, true, { ok: true }]);
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual([`Bearer ${secret}`]);
    const held = (api.storage as unknown as { data: Map<string, unknown> }).data;
    expect(held.size).toBe(1);
    expect(findSecret(held, [secret])).toEqual([]);
  });

  it('one fetch for calls at the same time, its 401 refreshed once and never kept', async () => {
    const { strategy, count } = rotatingTokens();
    acceptOnly('t2');
    const api = plug(strategy);
    const answers = await Promise.all([1, 2, 3].map(() => who(api.get('/items'))));
    expect(answers).toEqual(['Bearer t2', 'Bearer t2', 'Bearer t2']);
    expect(await who(api.get('/items'))).toBe('Bearer t2');
    expect([server.requests.length, count()]).toEqual([2, 2]);
  });

  it('a standing 401 is an error each time, and nothing of it is kept', async () => {
    acceptOnly('t3');
    const api = plug(rotatingTokens().strategy);
    await expect(api.get('/items')).rejects.toMatchObject({ response: { status: 401 } });
    server.clearFaults();
    expect(await who(api.get('/items'))).toBe('Bearer t2');
  });

  it('revalidates with our credential; a 304 is answered from the cache', async () => {
    headers = { 'Cache-Control': 'max-age=0', ETag: '"1"' };
    const api = plug(alice);
    await api.get('/items');
    const again = await api.get('/items');
    expect([again.status, again.data, again.cached]).toEqual([200, { who: 'Bearer alice' }, true]);
    expect(server.requests[1]!.headers).toMatchObject({ authorization: 'Bearer alice', 'if-none-match': '"1"' });
  });

  it('a standing 401 for an entry that is out of date is answered from the cache, unless `staleIfError` is false', async () => {
    headers = { 'Cache-Control': 'max-age=0', ETag: '"1"' };
    for (const staleIfError of [true, false]) {
      const api = plug(rotatingTokens().strategy, { staleIfError });
      await api.get('/items');
      acceptOnly('never');
      const again = api.get('/items').then(
        ({ stale }) => stale,
        ({ response }) => response.status,
      );
      expect(await again).toBe(staleIfError ? true : 401);
      server.clearFaults();
    }
  });

  describe('two users', () => {
    const keyOfUser = (api: () => AxiosInstance): CacheOptions => ({
      generateKey: buildKeyGenerator((request, meta) => {
        if (request.user === undefined) throw new Error('every request needs its `user`');
        return JSON.stringify([request.user, request.method, api().getUri(request), request.data, meta]);
      }),
    });
    const recipes: [string, () => Get, boolean][] = [
      [
        'an instance for each',
        () => {
          const [ofAlice, ofBob, ofNobody] = [plug(alice), plug(bob), setupCache(axios.create({ baseURL: server.origin }))];
          return (path, user) => who((user === 'alice' ? ofAlice : user === 'bob' ? ofBob : ofNobody).get(path));
        },
        true,
      ],
      [
        'no cache for requests with a strategy of their own',
        () => {
          const api = plug(bearerToken({ token: 'own' }));
          api.interceptors.request.use((config) => (config.authStrategy === undefined ? config : Object.assign(config, { cache: false })));
          return (path, user) => who(api.get(path, { authStrategy: user === 'alice' ? alice : user === 'bob' ? bob : false }));
        },
        false,
      ],
      [
        'a key that names the user',
        () => {
          const api: AxiosCacheInstance = plug(
            alice,
            keyOfUser(() => api),
          );
          const strategies = { alice, bob };
          return (path, user) => who(api.get(path, { authStrategy: user ? strategies[user] : false, user: user ?? 'nobody' }));
        },
        true,
      ],
    ];

    describe.each(recipes)('%s', (_, make, isCached) => {
      it.each([undefined, 'Authorization', '*'])('never share an answer: Vary %s', async (vary) => {
        if (vary) headers['Vary'] = vary;
        const get = make();
        const answers = { alice: 'Bearer alice', bob: 'Bearer bob', nobody: 'nobody' };
        for (const user of ['alice', 'bob', undefined, 'bob', 'alice', undefined] as const) {
          expect(await get('/me', user)).toBe(answers[user ?? 'nobody']);
        }
        expect(server.requests).toHaveLength(isCached && vary !== '*' ? 3 : 6);
      });

      it('nor at the same time, nor after a 304', async () => {
        server.inject({ delayMs: 20, times: 4 });
        const get = make();
        const calls = [get('/me', 'alice'), get('/me', 'bob'), get('/me', 'alice'), get('/me', undefined)];
        expect(await Promise.all(calls)).toEqual(['Bearer alice', 'Bearer bob', 'Bearer alice', 'nobody']);
        // A server that gives the same ETag to everybody.
        headers = { 'Cache-Control': 'max-age=0', ETag: '"1"' };
        expect([await get('/new', 'alice'), await get('/new', 'bob')]).toEqual(['Bearer alice', 'Bearer bob']);
      });
    });

    it('a key that names the user fails where the user is left out', async () => {
      const api: AxiosCacheInstance = plug(
        alice,
        keyOfUser(() => api),
      );
      await expect(api.get('/me', { authStrategy: bob })).rejects.toThrow('every request needs its `user`');
      expect(server.requests).toEqual([]);
    });

    it.each([undefined, 'Authorization'])('NOT SAFE: the default key with a strategy per request, Vary %s', async (vary) => {
      if (vary) headers['Vary'] = vary;
      const api = plug(alice);
      expect(await who(api.get('/me'))).toBe('Bearer alice');
      expect(await who(api.get('/me', { authStrategy: bob }))).toBe('Bearer alice');
      expect(await who(api.get('/me', { authStrategy: false }))).toBe('Bearer alice');
    });

    it('NOT SAFE: one storage for two instances', async () => {
      const storage = buildMemoryStorage();
      const [ofAlice, ofBob] = [plug(alice, { storage }), plug(bob, { storage })];
      await ofAlice.get('/me');
      expect(await who(ofBob.get('/me'))).toBe('Bearer alice');
    });

    it('NOT SAFE: another user on the same instance, unless the storage is emptied', async () => {
      const api = plug(alice);
      await api.get('/me');
      attachAuth(api, bob);
      expect(await who(api.get('/me'))).toBe('Bearer alice');
      await api.storage.clear?.();
      expect(await who(api.get('/me'))).toBe('Bearer bob');
    });
  });

  describe('an error of ours', () => {
    /** A vault that is down for the first call. */
    function failingOnce(): AuthStrategy {
      let calls = 0;
      const token = () => {
        if (++calls === 1) throw new Error('the vault is sealed');
        return 'alice';
      };
      return bearerToken({ token });
    }

    it('NOT GOOD: leaves later calls of the same key waiting, as any error does that is not of axios', async () => {
      const api = plug(failingOnce());
      await expect(api.get('/me')).rejects.toSatisfy(isAuthError);
      const later = who(api.get('/me')).catch(String);
      expect(await Promise.race([later, new Promise((resolve) => setTimeout(resolve, 200, 'still waiting'))])).toBe('still waiting');
    });

    it('does not with an interceptor that lets those go who wait', async () => {
      const api = plug(failingOnce());
      api.interceptors.response.use(undefined, (error) => {
        if (isAuthError(error)) for (const [key, call] of api.waiting) if (api.waiting.delete(key)) call.resolve();
        throw error;
      });
      const [first, ...others] = await Promise.allSettled([1, 2, 3].map(() => who(api.get('/me'))));
      expect(first).toMatchObject({ status: 'rejected', reason: { code: 'STRATEGY_FAILED' } });
      expect(others).toEqual(others.map(() => ({ status: 'fulfilled', value: 'Bearer alice' })));
      expect((await api.get('/me')).cached).toBe(true);
    });
  });
});

it('set up before us, an answer from the cache asks the strategy for nothing; set up after us, it does', async () => {
  const asked: number[] = [];
  for (const [, plug] of orders) {
    let count = 0;
    const api = plug({ name: 'counting', specVersion: 1, authorize: () => ({ headers: { 'X-Count': String(++count) } }) });
    await api.get('/items');
    await api.get('/items');
    asked.push(count);
  }
  expect(asked).toEqual([1, 2]);
  expect(server.requests).toHaveLength(2);
});

it('bare axios is the measure: its `Vary: Authorization` works with headers of the caller, and without Vary it leaks as well', async () => {
  const api = setupCache(axios.create({ baseURL: server.origin }));
  const get = (token: string) => who(api.get('/me', { headers: { Authorization: token } }));
  expect([await get('alice'), await get('bob')]).toEqual(['alice', 'alice']);
  await api.storage.clear?.();
  headers['Vary'] = 'Authorization';
  expect([await get('alice'), await get('bob')]).toEqual(['alice', 'bob']);
});

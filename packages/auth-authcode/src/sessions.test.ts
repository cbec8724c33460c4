import { type AuthContext, type AuthRequest, memoryStore } from '@authseam/core';
import { afterEach, describe, expect, it, type Mock, vi } from 'vitest';
import { codeClient, codeServer, signedIn } from './fixtures/code-server.ts';
import type { AuthorizationCode } from './index.ts';

const request: AuthRequest = { method: 'GET', url: 'https://api.example.com/', headers: { get: () => null }, replayable: true, attempt: 1 };
const context: AuthContext = { now: Date.now, emit: () => {} };
const unauthorized = { status: 401, url: request.url, headers: { get: () => null }, text: async () => '', json: async () => null };

afterEach(() => {
  vi.useRealTimers();
});

/** More subjects than are kept ready. */
const MANY = 2_500;

async function everyone(auth: AuthorizationCode, count = MANY): Promise<void> {
  for (let at = 0; at < count; at += 1) await signedIn(auth, `other${at}`, `other ${at}`);
}

describe('sessions', () => {
  it('never share tokens, whatever the users are called', async () => {
    const server = codeServer();
    const auth = codeClient(server);
    const subjects = [
      'anna',
      'ANNA',
      ' anna',
      'anna\n',
      'a"b',
      'a\\"b',
      '["a","b"]',
      'jürgen@example.com',
      '雪',
      '\ud800',
      '\ud801',
      '__proto__',
      '0',
      'null',
    ];
    for (const [at, subject] of subjects.entries()) await signedIn(auth, `user${at}`, subject);
    const tokens = await Promise.all(subjects.map((subject) => auth.session(subject).getToken()));
    expect(tokens.map(({ accessToken }) => accessToken.split('-')[1])).toEqual(subjects.map((_, at) => `user${at}`));
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', subject: undefined });
  });

  it('are for text only: a user that nobody looked up is an error, everywhere', async () => {
    const server = codeServer();
    const auth = codeClient(server);
    const { transaction } = await auth.createAuthorizationUrl();
    for (const subject of ['', null, 0, 42, {}, () => 'anna'] as unknown as string[]) {
      expect(() => auth.session(subject)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'subject' }));
      await expect(auth.signOut({ subject })).rejects.toMatchObject({ option: 'subject' });
      if (typeof subject === 'function') continue; // asked for the subject of the tokens
      const callback = `/callback?code=a&state=${transaction.state}`;
      await expect(auth.handleCallback(callback, transaction, { subject })).rejects.toMatchObject({ option: 'subject' });
    }
    expect(() => auth.session(undefined as unknown as string)).toThrow(expect.objectContaining({ option: 'subject' }));
    expect(server.requests).toEqual([]);
  });

  it('are found by what the tokens say, where a function tells it', async () => {
    const server = codeServer();
    const auth = codeClient(server);
    for (const [subject, code] of [
      [(): string => 'anna', 'a'],
      [(): string => '', 'b'],
    ] as const) {
      const { transaction } = await auth.createAuthorizationUrl();
      const call = auth.handleCallback(`/callback?code=${code}&state=${transaction.state}`, transaction, { subject });
      if (code === 'b') await expect(call).rejects.toMatchObject({ option: 'subject' });
      else {
        const tokens = await call;
        expect(await auth.session('anna').getToken()).toBe(tokens);
      }
    }
  });

  it('of different users refresh at the same time', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isGated = false;
    const server = codeServer({ latency: async () => isGated && gate });
    const auth = codeClient(server);
    for (const user of ['anna', 'ben', 'cleo']) await signedIn(auth, user, user);
    isGated = true;
    const refreshing = ['anna', 'ben', 'cleo'].map((user) => auth.session(user).getToken({ forceRefresh: true }));
    await vi.waitUntil(() => server.requests.length === 6);
    expect(server.requests.slice(3).map((form) => form.get('refresh_token'))).toEqual(['rt-anna-1', 'rt-ben-2', 'rt-cleo-3']);
    release();
    await Promise.all(refreshing);
  });

  it('of one user share one refresh, however many there are', async () => {
    const server = codeServer();
    const auth = codeClient(server);
    await signedIn(auth, 'anna', 'anna');
    await Promise.all(Array.from({ length: 200 }, () => auth.session('anna').getToken({ forceRefresh: true })));
    expect([server.requests.length, server.reused]).toEqual([2, []]);
  });

  it('answer synchronously while the token at hand is valid', async () => {
    const auth = codeClient(codeServer());
    await signedIn(auth, 'anna', 'anna');
    expect(auth.session('anna').authorize(request, context)).toEqual(
      expect.objectContaining({ headers: { Authorization: 'Bearer at-anna-1' } }),
    );
    expect(auth.session('anna')).toMatchObject({ name: 'authorizationCode', specVersion: 1, sensitive: { headers: ['authorization'] } });
    expect(Object.isFrozen(auth.session('anna')) && Object.isFrozen(auth)).toBe(true);
  });

  it('that are idle are let go of, and read from the store when they come back', async () => {
    const memory = memoryStore();
    const get = vi.fn(memory.get);
    const server = codeServer();
    const auth = codeClient(server, { store: { ...memory, get } });
    await signedIn(auth, 'anna', 'anna');
    const reads = readsOf(get);
    const anna = auth.session('anna');
    anna.getToken();
    await everyone(auth);
    expect(reads()).toBe(0);
    expect(await anna.getToken()).toMatchObject({ accessToken: 'at-anna-1' });
    expect(reads()).toBe(1);
    expect(server.requests).toHaveLength(MANY + 1);
  });

  it('that are in use stay, while others come and go', async () => {
    const memory = memoryStore();
    const get = vi.fn(memory.get);
    const auth = codeClient(codeServer(), { store: { ...memory, get } });
    await signedIn(auth, 'anna', 'anna');
    const reads = readsOf(get);
    for (let at = 0; at < 2 * MANY; at += 1) {
      await signedIn(auth, `other${at}`, `other ${at}`);
      if (at % 50 === 0) auth.session('anna').getToken();
    }
    expect(reads()).toBe(0);
  });

  it.each([true, false])(
    'whose token was rejected after they were let go of refresh all the same (in a store that locks: %s)',
    async (locks) => {
      const { lock, ...rest } = memoryStore();
      const server = codeServer();
      const auth = codeClient(server, { store: locks ? { ...rest, lock } : rest });
      await signedIn(auth, 'anna', 'anna');
      const anna = auth.session('anna');
      const { receipt } = await anna.authorize(request, context);
      await everyone(auth);
      expect(await anna.recover?.(unauthorized, { request, receipt }, context)).toBe(true);
      expect(await anna.getToken()).toMatchObject({ accessToken: `at-anna-${MANY + 2}` });
      expect(server.requests).toHaveLength(MANY + 2);
    },
  );

  it('that refresh in the background are not let go of: without a lock in the store a second one would send the same refresh token', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { lock: _, ...store } = memoryStore();
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = codeServer({ latency: async () => server.requests.at(-1)?.get('refresh_token') === 'rt-anna-1' && gate });
    const auth = codeClient(server, { store });
    await signedIn(auth, 'anna', 'anna');
    vi.setSystemTime(Date.now() + 3_400_000);
    // Early: the token serves, nobody waits.
    expect(auth.session('anna').getToken()).toMatchObject({ accessToken: 'at-anna-1' });
    await vi.waitUntil(() => server.requests.length === 2);
    await everyone(auth);
    vi.setSystemTime(Date.now() + 300_000);
    const waiting = auth.session('anna').getToken();
    release();
    expect(await waiting).toMatchObject({ accessToken: 'at-anna-2' });
    expect(server.reused).toEqual([]);
  });

  it('whose token the store could not take are not let go of: what it holds is spent', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const store = memoryStore();
    let isDown = false;
    const set: typeof store.set = (key, ...rest) =>
      isDown && key.includes('anna') ? Promise.reject(new Error('full')) : store.set(key, ...rest);
    const server = codeServer();
    const auth = codeClient(server, { store: { ...store, set } });
    await signedIn(auth, 'anna', 'anna');
    isDown = true;
    await auth.session('anna').getToken({ forceRefresh: true });
    await everyone(auth);
    isDown = false;
    const fresh = await auth.session('anna').getToken({ forceRefresh: true });
    expect(server.reused).toEqual([]);
    await everyone(auth);
    expect(await auth.session('anna').getToken()).toEqual(fresh);
  });

  it('fail while the store is down, for who is signed in may be in it; nobody is sent to sign in again', async () => {
    const auth = codeClient(codeServer(), { store: { ...memoryStore(), get: () => Promise.reject(new Error('down')) } });
    await expect(auth.session('anna').getToken()).rejects.toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'get' });
  });

  it('of whom a refresh or a sign-in brings what nobody wants any more have it revoked', async () => {
    const store = memoryStore();
    const revoked: (string | null)[] = [];
    const gate = Promise.withResolvers<void>();
    const server = codeServer({ latency: async () => server.requests.at(-1)?.has('refresh_token') && gate.promise });
    const fetch: typeof server.fetch = async (url, init) => {
      if (!url.endsWith('/revoke')) return server.fetch(url, init);
      revoked.push(new URLSearchParams(init.body as URLSearchParams).get('token'));
      return new Response();
    };
    let isDown = false;
    const set: typeof store.set = (...rest) => (isDown ? Promise.reject(new Error('down')) : store.set(...rest));
    const auth = codeClient(server, { store: { ...store, set }, fetch, revocationEndpoint: 'https://login.example.com/revoke' });
    await signedIn(auth, 'anna', 'anna');
    const refreshing = Promise.resolve(auth.session('anna').getToken({ forceRefresh: true })).catch(() => {});
    await vi.waitUntil(() => server.requests.length === 2);
    expect(await auth.signOut({ subject: 'anna' })).toEqual({ isRevoked: true });
    gate.resolve();
    await refreshing;
    await vi.waitUntil(() => revoked.length === 2);
    isDown = true;
    await expect(signedIn(auth, 'ben', 'ben')).rejects.toMatchObject({
      code: 'TOKEN_STORE_ERROR',
      message: expect.stringContaining('spent'),
    });
    await vi.waitUntil(() => revoked.length === 3);
    expect(revoked).toEqual(['rt-anna-1', 'rt-anna-2', 'rt-ben-3']);
  });

  it('that wait are not let go of', async () => {
    const { lock: _, ...store } = memoryStore();
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = codeServer({ latency: async () => server.requests.at(-1)?.get('refresh_token') === 'rt-anna-1' && gate });
    const auth = codeClient(server, { store });
    await signedIn(auth, 'anna', 'anna');
    const waiting = [auth.session('anna').getToken({ forceRefresh: true })];
    await everyone(auth);
    waiting.push(auth.session('anna').getToken({ forceRefresh: true }));
    release();
    expect(new Set((await Promise.all(waiting)).map(({ accessToken }) => accessToken))).toEqual(new Set(['at-anna-2']));
    expect(server.reused).toEqual([]);
  });

  it('that are being signed out are not let go of: a second one would find the token before it is gone', async () => {
    const store = memoryStore();
    let release = (): void => {};
    let gate: Promise<void> | undefined;
    const get = async (key: string) => {
      const found = store.get(key);
      if (gate && key.includes('anna')) await gate;
      return found;
    };
    const auth = codeClient(codeServer(), { store: { ...store, get } });
    await signedIn(auth, 'anna', 'anna');
    gate = new Promise((resolve) => {
      release = resolve;
    });
    const leaving = auth.signOut({ subject: 'anna' });
    await everyone(auth);
    gate = undefined;
    const again = expect(auth.session('anna').getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    release();
    await Promise.all([leaving, again]);
    await expect(auth.session('anna').getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it('do not send a refused refresh token again that the store could not forget', async () => {
    const store = memoryStore();
    const server = codeServer();
    const down = () => Promise.reject(new Error('down'));
    const auth = codeClient(server, { store: { ...store, delete: down } });
    await signedIn(auth, 'anna', 'anna');
    server.answers.push(() => Response.json({ error: 'invalid_grant' }, { status: 400 }));
    const anna = auth.session('anna');
    const sent = await anna.getToken();
    for (const error of ['invalid_grant', undefined, undefined])
      await expect(error ? anna.rejected(sent) : anna.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', error });
    expect(server.requests).toHaveLength(2);
  });

  it('that are signed in elsewhere work at once, also after this process was told to sign in again', async () => {
    const store = memoryStore();
    const server = codeServer();
    const [here, there] = [codeClient(server, { store }), codeClient(server, { store })];
    await signedIn(here, 'anna', 'anna');
    server.answers.push(() => Response.json({ error: 'invalid_grant' }, { status: 400 }));
    const sent = await here.session('anna').getToken();
    await expect(here.session('anna').rejected(sent)).rejects.toMatchObject({
      code: 'INTERACTION_REQUIRED',
      error: 'invalid_grant',
    });
    await signedIn(there, 'anna', 'anna');
    expect(await here.session('anna').getToken()).toMatchObject({ accessToken: 'at-anna-3' });
  });
});

/** From now on, how often the entry that was read last is read again. */
function readsOf(get: Mock<ReturnType<typeof memoryStore>['get']>): () => number {
  const key = get.mock.lastCall?.[0];
  get.mockClear();
  return () => get.mock.calls.filter(([read]) => read === key).length;
}

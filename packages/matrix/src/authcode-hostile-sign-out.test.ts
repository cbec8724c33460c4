// Sign-outs in the middle of a refresh, in another process, and where server or store fail. RFC 7009.
import { memoryStore } from '@authseam/core';
import { describe, expect, it, vi } from 'vitest';
import { authFor, caught, server, signedIn, startServer } from './fixtures/hostile-sign-in.ts';

startServer();

describe('a sign-out', () => {
  it('during a refresh: its result is thrown away, here and in the store', async () => {
    const store = memoryStore();
    const auth = authFor({ store, storeKey: 'key' });
    await signedIn(auth);
    const hold = server.holdRefresh();
    const waiting = caught(auth.getToken({ forceRefresh: true }));
    await hold.arrived;
    const result = await auth.signOut();
    hold.release();
    expect(result).toMatchObject({ isRevoked: true });
    expect(await waiting).toMatchObject({ code: 'INTERACTION_REQUIRED' });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([store.get('key'), server.refreshes]).toEqual([undefined, 1]);
  });

  it('during a refresh of another process: nothing is written, and nobody is signed in there either', async () => {
    const store = memoryStore();
    const [here, there] = [authFor({ store, storeKey: 'key' }), authFor({ store, storeKey: 'key' })];
    await signedIn(here);
    await there.getToken();
    const hold = server.holdRefresh();
    const waiting = caught(there.getToken({ forceRefresh: true }));
    await hold.arrived;
    await here.signOut();
    hold.release();
    expect(await waiting).toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([store.get('key'), server.refreshes]).toEqual([undefined, 1]);
  });

  it('in another process ends the session here at the next refresh, also where the server cannot revoke', async () => {
    server.lie({ metadata: { revocation_endpoint: undefined } });
    const store = memoryStore();
    const [here, there] = [authFor({ store, storeKey: 'key' }), authFor({ store, storeKey: 'key' })];
    await signedIn(here);
    await there.getToken();
    expect(await here.signOut()).toEqual({ isRevoked: false });
    await expect(there.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect([store.get('key'), server.refreshes]).toEqual([undefined, 0]);
  });

  it('says that the server could not revoke, and forgets: down, or silent for 5 s', async () => {
    const auth = authFor();
    await signedIn(auth);
    server.lie({ revocation: 'down' });
    expect(await auth.signOut()).toEqual({ isRevoked: false });
    await signedIn(auth);
    server.lie({ revocation: 'stalls' });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = auth.signOut();
    await vi.waitUntil(() => server.requests.filter(({ route }) => route === 'revocation').length === 2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await waiting).toEqual({ isRevoked: false });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it('takes 5 s at the most where the server says nothing at all, not even who it is', async () => {
    const auth = authFor({ scope: 'read', initialTokens: { accessToken: 'at', refreshToken: 'rt' } });
    for (const _ of [1, 2, 3, 4]) server.inject({ at: 'discovery', stall: 'on-arrival' });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = auth.signOut();
    await vi.waitUntil(() => server.requests.some(({ route }) => route === 'discovery'));
    await vi.advanceTimersByTimeAsync(4_900);
    expect(await Promise.race([waiting, Promise.resolve('waiting')])).toBe('waiting');
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.race([waiting, Promise.resolve('waiting')])).toEqual({ isRevoked: false });
  });

  it('gives the URL to sign out of the server too where only revoking stalls', async () => {
    server.lie({ metadata: { end_session_endpoint: `${server.issuer}/logout?a=%7E` }, revocation: 'stalls' });
    const auth = authFor();
    await signedIn(auth);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = auth.signOut();
    await vi.waitUntil(() => server.requests.some(({ route }) => route === 'revocation'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await waiting).toEqual({ isRevoked: false, logoutUrl: expect.stringContaining(`${server.issuer}/logout?`) });
  });

  it('revokes where the store fails, and tells that afterwards', async () => {
    const store = memoryStore();
    let isDown = false;
    const fail = <T>(work: () => T): T => {
      if (isDown) throw new Error('down');
      return work();
    };
    const auth = authFor({
      store: { ...store, get: (key: string) => fail(() => store.get(key)), delete: (key: string) => fail(() => store.delete(key)) },
    });
    await signedIn(auth);
    isDown = true;
    expect(await caught(auth.signOut())).toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'delete' });
    expect(server.requests.filter(({ route }) => route === 'revocation')).toHaveLength(1);
  });
});

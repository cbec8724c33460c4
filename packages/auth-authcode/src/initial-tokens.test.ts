import { memoryStore } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import type { AuthorizationCode } from './authorization-code.ts';
import { codeClient, codeServer, signedIn } from './fixtures/code-server.ts';

const T0 = Date.UTC(2026, 0, 1);
const valid = { accessToken: 'initial', refreshToken: 'rt-anna-0', expiresAtMs: T0 + 3_600_000 };
const now = () => T0;

describe('initial tokens', () => {
  it('serve an empty store, and go there', async () => {
    const store = memoryStore();
    const server = codeServer();
    const auth = codeClient(server, { store, storeKey: 'key', now, initialTokens: valid });
    expect(await auth.getToken()).toMatchObject({ ...valid, tokenType: 'Bearer' });
    expect((await store.get('key'))?.entry).toMatchObject(valid);
    expect(server.requests).toEqual([]);
    await expect(auth.session('anna').getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
  });

  it('give way to what the store holds', async () => {
    const store = memoryStore();
    store.set('key', { accessToken: 'stored', tokenType: 'Bearer', expiresAtMs: T0 + 3_600_000 });
    expect(await codeClient(codeServer(), { store, storeKey: 'key', now, initialTokens: valid }).getToken()).toMatchObject({
      accessToken: 'stored',
    });
  });

  it('that ran out are refreshed; without a refresh token somebody has to sign in', async () => {
    const server = codeServer();
    const { refreshToken, ...expired } = { ...valid, expiresAtMs: T0 - 1 };
    expect(await codeClient(server, { now, initialTokens: { ...expired, refreshToken } }).getToken()).toMatchObject({
      accessToken: 'at-anna-1',
      refreshToken: 'rt-anna-1',
    });
    await expect(codeClient(server, { now, initialTokens: expired }).getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect(server.requests).toHaveLength(1);
  });

  it('keep their refresh token where a refresh does not replace it', async () => {
    const server = codeServer();
    server.answers.push(() => Response.json({ access_token: 'a', token_type: 'Bearer', expires_in: 0 }));
    const auth = codeClient(server, { now, initialTokens: { ...valid, expiresAtMs: T0 - 1 } });
    expect(await auth.getToken()).toMatchObject({ accessToken: 'a', refreshToken: valid.refreshToken });
    expect(await auth.getToken()).toMatchObject({ accessToken: 'at-anna-2' });
  });

  it('that the API rejects are refreshed; without a refresh token somebody has to sign in', async () => {
    const server = codeServer();
    const auth = codeClient(server, { now, initialTokens: valid });
    expect(await auth.rejected(await auth.getToken())).toBe(true);
    expect(await auth.getToken()).toMatchObject({ accessToken: 'at-anna-1' });
    const short = codeClient(server, { now, initialTokens: { accessToken: 'initial' } });
    const sent = await short.getToken();
    for (const work of [() => short.rejected(sent), () => short.getToken(), () => short.getToken()])
      await expect(work()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect(server.requests).toHaveLength(1);
  });

  it('do not come back: not after a sign-out, not after invalid_grant, not when the store was emptied', async () => {
    for (const end of ['sign-out before', 'sign-out after', 'invalid_grant', 'emptied']) {
      const store = memoryStore();
      const server = codeServer();
      const auth = codeClient(server, { store, storeKey: 'key', now, initialTokens: valid });
      if (end !== 'sign-out before') await auth.getToken();
      if (end.startsWith('sign-out')) await auth.signOut();
      if (end === 'emptied') await auth.invalidate();
      if (end === 'invalid_grant') {
        server.answers.push(() => Response.json({ error: 'invalid_grant' }, { status: 400 }));
        await expect(auth.rejected(await auth.getToken())).rejects.toMatchObject({ error: 'invalid_grant' });
      }
      await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', error: undefined });
      expect(store.get('key')).toBeUndefined();
      await signedIn(auth, 'anna');
      expect(await auth.getToken()).toMatchObject({ accessToken: expect.stringContaining('at-anna') });
    }
  });

  it('do not come back where somebody else has signed in, here or in another process', async () => {
    for (const where of ['here', 'elsewhere']) {
      const store = memoryStore();
      const server = codeServer();
      const [here, there] = [1, 2].map(() => codeClient(server, { store, storeKey: 'key', now, initialTokens: valid }));
      await signedIn((where === 'here' ? here : there) as AuthorizationCode, 'anna');
      expect(await here?.getToken()).toMatchObject({ accessToken: 'at-anna-1' });
      if (where === 'here') await here?.invalidate();
      else await there?.signOut();
      const again = here?.getToken({ forceRefresh: true });
      await expect(again).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', error: undefined });
    }
  });

  it('do not come back after a refresh, when another process signs out', async () => {
    const store = memoryStore();
    const server = codeServer();
    const auth = codeClient(server, { store, storeKey: 'key', now, initialTokens: { ...valid, expiresAtMs: T0 - 1 } });
    await auth.getToken();
    store.delete('key');
    await expect(auth.getToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect(server.requests).toHaveLength(1);
  });

  it('that were refused are not tried again when their subject was let go of meanwhile', async () => {
    const server = codeServer();
    server.answers.push(() => Response.json({ error: 'invalid_grant' }, { status: 400 }));
    const auth = codeClient(server, { now, initialTokens: { ...valid, expiresAtMs: T0 - 1 } });
    await expect(auth.getToken()).rejects.toMatchObject({ error: 'invalid_grant' });
    for (let at = 0; at < 2_500; at += 1) await signedIn(auth, `other${at}`, `other ${at}`);
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED', error: undefined });
    expect(server.requests.filter((form) => form.has('refresh_token'))).toHaveLength(1);
  });

  it('survive trouble at the token endpoint', async () => {
    const server = codeServer();
    server.answers.push(() => Response.json({}, { status: 400 }));
    const auth = codeClient(server, { now, initialTokens: { ...valid, expiresAtMs: T0 - 1 } });
    await expect(auth.getToken()).rejects.toMatchObject({ code: 'TOKEN_ENDPOINT_ERROR' });
    expect(await auth.getToken()).toMatchObject({ accessToken: 'at-anna-2' });
  });

  it('are revoked by a sign-out, used or not', async () => {
    const revoked: unknown[] = [];
    const server = codeServer();
    const fetch: typeof server.fetch = async (url, init) => {
      if (!url.endsWith('/revoke')) return server.fetch(url, init);
      revoked.push(new URLSearchParams(init.body as URLSearchParams).get('token'));
      return new Response();
    };
    for (const isUsed of [false, true]) {
      const auth = codeClient(server, { now, initialTokens: valid, fetch, revocationEndpoint: 'https://login.example.com/revoke' });
      if (isUsed) await auth.getToken();
      expect(await auth.signOut()).toEqual({ isRevoked: true });
      expect(await auth.signOut()).toEqual({ isRevoked: false });
    }
    expect(revoked).toEqual(['rt-anna-0', 'rt-anna-0']);
  });

  it.each([
    {},
    { accessToken: '' },
    { accessToken: 'a\n' },
    { accessToken: 5 },
    { access_token: 'a' },
    { accessToken: 'a', expiresAtMs: 'tomorrow' },
    { accessToken: 'a', receivedAtMs: 'today' },
    { accessToken: 'a', receivedAtMs: Number.NaN },
    { accessToken: 'a', expiresIn: 5 },
    'token',
    null,
  ])('are refused when they are %j', (initialTokens) => {
    expect(() => codeClient(codeServer(), { initialTokens })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'initialTokens' }),
    );
  });
});

// 200 calls on a token that ran out, a refresh token that works once, and a server that revokes the family of one used twice.
import { authorizationCode } from '@authseam/auth-authcode';
import { memoryStore } from '@authseam/core';
import { type OidcServer, oidcServer, signIn } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';

const redirectUri = 'https://app.example/callback';
const CALLS = 200;

async function signedIn(server: OidcServer, subjects: readonly string[], now: () => number) {
  const { issuer } = server;
  const auth = authorizationCode({
    issuer,
    clientId: 'app',
    clientAuthentication: 'none',
    redirectUri,
    scope: 'read',
    store: memoryStore(),
    now,
  });
  for (const subject of subjects) {
    const { url, transaction } = await auth.createAuthorizationUrl();
    await auth.handleCallback((await signIn(url, { user: subject })).callbackUrl, transaction, { subject });
  }
  return auth;
}

function serverFor(now: () => number): Promise<OidcServer> {
  const clients = [{ clientId: 'app', clientAuthentication: 'none', redirectUris: [redirectUri] }] as const;
  // Strict: only the newest access token of a subject is accepted.
  return oidcServer({ clients, onlyNewestToken: true, now });
}

const spread = {
  'all at once': () => Promise.resolve(),
  'within 100 ms': (call: number) => new Promise((resolve) => setTimeout(resolve, (call * 37) % 100)),
};

for (const adapter of adapters) {
  describe(`200 calls through ${adapter.name}`, () => {
    it.each(Object.entries(spread))('%s, on a token that the API refuses: one refresh, no failure', async (_, pause) => {
      await using server = await serverFor(Date.now);
      const auth = await signedIn(server, ['alice'], Date.now);
      const call = adapter.attach(auth.session('alice'));
      expect(await call(`${server.apiUrl}/api/me`)).toMatchObject({ status: 200 });
      server.expireTokens();
      const answers = await Promise.all(
        Array.from({ length: CALLS }, async (_, at) => {
          await pause(at);
          return call(`${server.apiUrl}/api/me`);
        }),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect([server.refreshes, server.familyRevoked]).toEqual([1, false]);
    });

    it.each(Object.entries(spread))('%s, on a token that ran out by the clock: one refresh, no 401', async (_, pause) => {
      let nowMs = Date.now();
      const now = () => nowMs;
      await using server = await serverFor(now);
      const auth = await signedIn(server, ['alice'], now);
      const call = adapter.attach(auth.session('alice'));
      nowMs += 3_600_000;
      await Promise.all(
        Array.from({ length: CALLS }, async (_, at) => {
          await pause(at);
          return call(`${server.apiUrl}/api/me`);
        }),
      );
      expect([server.refreshes, server.familyRevoked]).toEqual([1, false]);
      expect(server.requests.filter(({ route }) => route === 'api')).toHaveLength(CALLS);
    });
  });
}

it('two users whose tokens ran out together: one refresh each, and nobody gets the other’s answer', async () => {
  await using server = await serverFor(Date.now);
  const auth = await signedIn(server, ['alice', 'bob'], Date.now);
  server.expireTokens();
  const answers = await Promise.all(
    Array.from({ length: CALLS }, async (_, at) => {
      const subject = at % 2 ? 'alice' : 'bob';
      // A session for each request, as a web backend makes them.
      const { status, text } = await adapters[0]!.attach(auth.session(subject))(`${server.apiUrl}/api/me`);
      return status === 200 && JSON.parse(text).sub === subject;
    }),
  );
  expect(answers.every(Boolean)).toBe(true);
  expect([server.refreshes, server.familyRevoked]).toEqual([2, false]);
});

import { createHash } from 'node:crypto';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { type HostileServer, hostileAuthorizationServer } from '../hostile-server.ts';
import { signIn } from '../oidc/sign-in.ts';
import { virtualClock } from '../virtual-clock.ts';
import { type TokenFaults, tokenFaults } from './token-faults.ts';

const clock = virtualClock();
const server = await hostileAuthorizationServer({ now: clock.now, graceSeconds: 30 });
const strict = await hostileAuthorizationServer({ now: clock.now });
afterAll(async () => {
  for (const { failures, close } of [server, strict]) {
    expect(failures).toEqual([]);
    await close();
  }
});
beforeEach(() => {
  for (const each of [server, strict]) each.clearFaults();
});

/** Signs alice in. @returns A refresh token. */
async function signedIn(at: HostileServer): Promise<string> {
  const [redirect_uri, code_verifier] = ['http://127.0.0.1:65123/callback', 'v'.repeat(43)];
  const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
  const client = { client_id: at.clientId, redirect_uri };
  const query = new URLSearchParams({ ...client, response_type: 'code', code_challenge, code_challenge_method: 'S256' });
  const { callbackUrl } = await signIn(`${at.authorizationEndpoint}?${query}`);
  const code = new URL(callbackUrl).searchParams.get('code') ?? '';
  const answer = await ask(at, { ...client, grant_type: 'authorization_code', code, code_verifier });
  return ((await answer.json()) as { refresh_token: string }).refresh_token;
}

function ask(at: HostileServer, form: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response> {
  return fetch(at.tokenEndpoint, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual', ...(signal && { signal }) });
}

function refresh(at: HostileServer, refresh_token: string, signal?: AbortSignal): Promise<Response> {
  return ask(at, { grant_type: 'refresh_token', client_id: at.clientId, refresh_token }, signal);
}

async function tokensOf(answer: Promise<Response>): Promise<{ access_token: string; refresh_token: string; error?: string }> {
  return (await (await answer).json()) as { access_token: string; refresh_token: string; error?: string };
}

type Seen = { readonly status: number; readonly text?: RegExp; readonly type?: string; readonly size?: number } | 'broken' | 'silent';

/** What a client sees of each, and whether the refresh token that it sent is spent. */
const seen: Readonly<Record<keyof TokenFaults, readonly [Seen, 'spent' | 'as it was']>> = {
  refused: ['broken', 'as it was'],
  answerLost: ['broken', 'spent'],
  answerCutOff: ['broken', 'spent'],
  neverArrives: ['silent', 'as it was'],
  noAnswer: ['silent', 'spent'],
  answerStalls: ['silent', 'spent'],
  unavailable: [{ status: 503, text: /^$/ }, 'as it was'],
  unavailableFor2s: [{ status: 503, text: /^$/ }, 'as it was'],
  tooMany: [{ status: 429 }, 'as it was'],
  serverError: [{ status: 500, text: /^<h1>/, type: 'text/html' }, 'as it was'],
  loginPage: [{ status: 200, text: /^<form/, type: 'text/html' }, 'as it was'],
  empty: [{ status: 200, text: /^$/ }, 'as it was'],
  noContent: [{ status: 204, text: /^$/ }, 'as it was'],
  notJson: [{ status: 200, text: /^\{"access_token":"[^"]*$/ }, 'as it was'],
  notAnObject: [{ status: 200, text: /^\[\]$/ }, 'as it was'],
  errorWithStatus200: [{ status: 200, text: /"error"/ }, 'as it was'],
  withoutToken: [{ status: 200, text: /^(?!.*access_token).*"refresh_token"/ }, 'spent'],
  redirect: [{ status: 307 }, 'as it was'],
  endless: [{ status: 200, size: 2 ** 22 }, 'as it was'],
  gzipBomb: [{ status: 200, size: 2 ** 25 }, 'as it was'],
};

test.each(Object.entries(seen))('%s', async (name, [expected, isSpent]) => {
  const refreshToken = await signedIn(strict);
  const { issued } = strict;
  strict.inject(tokenFaults[name as keyof TokenFaults]);
  const silence = expected === 'silent' ? AbortSignal.timeout(150) : undefined;
  const outcome = await refresh(strict, refreshToken, silence)
    .then(async (answer) => ({ status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }))
    .catch((error: Error) => error.name);
  if (typeof expected === 'string') expect(outcome).toBe(expected === 'silent' ? 'TimeoutError' : 'TypeError');
  else {
    const { status, text = /^/, type, size } = expected;
    expect(outcome).toMatchObject({ status, text: expect.stringMatching(text), ...(type && { type }) });
    if (size !== undefined) expect((outcome as { text: string }).text).toHaveLength(size);
  }
  expect([strict.pendingFaults, strict.issued - issued]).toEqual([0, isSpent === 'spent' ? 1 : 0]);
  expect((await refresh(strict, refreshToken)).status).toBe(isSpent === 'spent' ? 400 : 200);
});

test('every fault is seen above, and none can be changed', () => {
  expect(Object.keys(seen).sort()).toEqual(Object.keys(tokenFaults).sort());
  expect(() => Object.assign(tokenFaults, { refused: undefined })).toThrow(TypeError);
  for (const fault of Object.values(tokenFaults)) expect(fault.at).toBe('token');
});

test('a lost answer costs the session where reuse is not forgiven, and nothing where it is', async () => {
  const spent = await signedIn(strict);
  strict.inject(tokenFaults.answerLost);
  await expect(refresh(strict, spent)).rejects.toThrow();
  expect(await tokensOf(refresh(strict, spent))).toMatchObject({ error: 'invalid_grant' });
  expect(strict.familyRevoked).toBe(true);

  const forgiven = await signedIn(server);
  server.inject(tokenFaults.answerLost);
  await expect(refresh(server, forgiven)).rejects.toThrow();
  const [again, onceMore] = [await tokensOf(refresh(server, forgiven)), await tokensOf(refresh(server, forgiven))];
  expect(again.refresh_token).toBe(onceMore.refresh_token);
  expect(again.access_token).not.toBe(onceMore.access_token);
  expect(server.tokens).toEqual(expect.arrayContaining([forgiven, again.access_token, again.refresh_token, onceMore.access_token]));
  // Those that nobody was told of are there too.
  expect(server.tokens.filter((token) => token.startsWith('at_'))).toHaveLength(server.issued);
  expect(server.familyRevoked).toBe(false);
});

test.each([
  ['when it is over', async () => clock.advance(30_000)],
  ['once the replacement was used', async (replacement: string) => void (await refresh(server, replacement))],
])('grace ends %s: a reuse revokes the family', async (_, end) => {
  const first = await signedIn(server);
  const { refresh_token: replacement } = await tokensOf(refresh(server, first));
  await end(replacement);
  expect(await tokensOf(refresh(server, first))).toMatchObject({ error: 'invalid_grant' });
  expect(server.familyRevoked).toBe(true);
  expect(await tokensOf(refresh(server, replacement))).toMatchObject({ error: 'invalid_grant' });
});

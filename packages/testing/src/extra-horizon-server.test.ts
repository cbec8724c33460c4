import { expect, test } from 'vitest';
import { type ExtraHorizonServer, type ExtraHorizonServerOptions, extraHorizonServer } from './extra-horizon-server.ts';
import { type HandSigning, signByHand } from './fixtures/sign-by-hand.ts';

function call(server: ExtraHorizonServer, path: string, signing: Partial<HandSigning> = {}, init: RequestInit = {}): Promise<Response> {
  const { consumerKey, consumerSecret, token, tokenSecret } = server;
  const method = init.method ?? 'GET';
  const authorization = signByHand(server.origin + path, { consumerKey, consumerSecret, token, tokenSecret, method, ...signing });
  return fetch(server.origin + path, { redirect: 'manual', ...init, headers: { ...init.headers, Authorization: authorization } });
}

/** The fields of a form-encoded answer. */
async function fields(answer: Response): Promise<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(await answer.text()));
}

const noToken = { token: undefined, tokenSecret: undefined } as unknown as Partial<HandSigning>;

function signIn(server: ExtraHorizonServer, body: unknown, signing: Partial<HandSigning> = noToken): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' };
  return call(server, '/auth/v2/oauth1/tokens', signing, { method: 'POST', headers, body: JSON.stringify(body) });
}

test('the token that it has at first is valid, and each nonce is', async () => {
  await using server = await extraHorizonServer();
  // A nonce is used once for each second (RFC 5849 §3.3): the clock must not move on in between.
  const parameters = { oauth_nonce: 'once', oauth_timestamp: `${Math.floor(Date.now() / 1000)}` };
  const me = await call(server, '/users/v1/me', { parameters });
  expect([me.status, await me.json()]).toEqual([200, server.user]);
  const again = await call(server, '/users/v1/me', { parameters });
  expect([again.status, await again.json()]).toEqual([401, expect.objectContaining({ code: 110 })]);
  expect(server.verdicts.map(({ refusal }) => refusal?.problem)).toEqual([undefined, 'nonce_used']);
  expect(server.requests.map(({ route }) => route)).toEqual(['api', 'api']);
});

test('exchanges e-mail and password, signed with the consumer pair only, for a token', async () => {
  await using server = await extraHorizonServer({ email: 'sam@example.com', password: 'secret' });
  const login = { email: 'sam@example.com', password: 'secret' };
  const answer = await signIn(server, login);
  const { token, tokenSecret } = (await answer.json()) as { token: string; tokenSecret: string };
  expect([answer.status, server.issued, server.tokenRequests]).toEqual([200, 2, 1]);
  expect(await (await call(server, '/users/v1/me', { token, tokenSecret })).json()).toMatchObject({ email: 'sam@example.com' });
  expect(await (await signIn(server, { ...login, password: 'wrong' })).json()).toMatchObject({ code: 106 });
  expect(await (await signIn(server, { email: 'sam@example.com' })).json()).toMatchObject({ code: 14 });
  expect(await (await signIn(server, [])).json()).toMatchObject({ code: 22 });
  expect(await (await signIn(server, login, {})).json()).toMatchObject({ message: 'oauth_token has no place here.' });
  expect(await (await call(server, '/auth/v2/oauth1/tokens', noToken, { method: 'POST' })).json()).toMatchObject({ code: 13 });
  expect([server.issued, server.tokenRequests]).toEqual([2, 6]);
});

const lists: readonly [string, readonly string[]][] = [
  ['', ['Jane Example', "Zoë (QA) O'Neil, Jr.", 'Jane 100% & more']],
  ['?eq(firstName,Jane)&limit(1,1)', ['Jane 100% & more']],
  ['?eq(firstName,Zo%C3%AB%20(QA))', ["Zoë (QA) O'Neil, Jr."]],
  ["?eq(lastName,O'Neil%2C%20Jr.)", ["Zoë (QA) O'Neil, Jr."]],
  ['?eq(lastName,100%25%20%26%20more)', ['Jane 100% & more']],
  ['?in(id,5f1a00000000000000000001,5f1a00000000000000000002)&limit(10,0)', ['Jane Example', "Zoë (QA) O'Neil, Jr."]],
  ['?eq%28firstName%2CJane%29', ['Jane Example', 'Jane 100% & more']],
];
test.each(lists)('lists users by RQL: /users/v1/%s', async (query, names) => {
  await using server = await extraHorizonServer();
  const answer = await call(server, `/users/v1/${query}`);
  const { data } = (await answer.json()) as { data: readonly { firstName: string; lastName: string }[] };
  expect(data.map(({ firstName, lastName }) => `${firstName} ${lastName}`)).toEqual(names);
});

test('RQL that is none is told, and RQL that changed on the way is not signed', async () => {
  await using server = await extraHorizonServer();
  expect(await (await call(server, '/users/v1/?like(firstName,J)')).json()).toMatchObject({ code: 19 });
  expect(await (await call(server, '/users/v1/?limit(-1)')).json()).toMatchObject({ code: 19 });
  const { consumerKey, consumerSecret, token, tokenSecret } = server;
  const authorization = signByHand(`${server.origin}/users/v1/?eq(id,1)`, { consumerKey, consumerSecret, token, tokenSecret });
  const changed = await fetch(`${server.origin}/users/v1/?eq(id,2)`, { headers: { Authorization: authorization } });
  expect([changed.status, await changed.json()]).toEqual([401, expect.objectContaining({ code: 109 })]);
});

test('echoes JSON and forms, each at its own place', async () => {
  await using server = await extraHorizonServer();
  const json = { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{"a":1}' };
  expect(await (await call(server, '/echo/json?b=2', {}, json)).json()).toMatchObject({ method: 'PUT', text: '{"a":1}' });
  expect(await (await call(server, '/echo/form', {}, json)).json()).toMatchObject({ code: 22 });
  const form = [
    ['a', '1 +'],
    ['a', ''],
  ] as const;
  const post = { method: 'POST', body: new URLSearchParams(form as unknown as string[][]) };
  expect(await (await call(server, '/echo/form', { form, hash: 'sha256' }, post)).json()).toMatchObject({ text: 'a=1+%2B&a=' });
  expect((await call(server, '/echo/form', { form: form.slice(1) }, post)).status).toBe(401);
});

const refusals: readonly [ExtraHorizonServerOptions, number, number, number][] = [
  [{}, 401, 118, 117],
  [{ tokenRefusal: { status: 400 } }, 400, 118, 117],
  [{ tokenRefusal: { status: 403, code: 118 } }, 403, 118, 118],
  [{ tokenRefusal: { code: 108 } }, 401, 108, 108],
];
test.each(refusals)('with %o: %i, %i for an expired token, %i for an unknown one', async (options, status, expired, unknown) => {
  await using server = await extraHorizonServer(options);
  const first = await call(server, '/users/v1/me', { token: 'nobody' });
  expect([first.status, await first.json()]).toEqual([status, expect.objectContaining({ code: unknown })]);
  server.expireTokens();
  expect(await (await call(server, '/users/v1/me')).json()).toMatchObject({ code: expired });
  const next = server.issueToken();
  expect((await call(server, '/users/v1/me', next)).status).toBe(200);
  server.revokeTokens();
  const last = await call(server, '/users/v1/me', next);
  expect([last.status, await last.json()]).toEqual([status, expect.objectContaining({ code: unknown })]);
  expect(last.headers.get('www-authenticate')).toBeNull();
});

test('a token lasts as long as it is told, by the injected clock', async () => {
  let nowMs = Date.now();
  await using server = await extraHorizonServer({ now: () => nowMs, lifetimeSeconds: 60 });
  expect((await call(server, '/users/v1/me')).status).toBe(200);
  nowMs += 60_000;
  expect(await (await call(server, '/users/v1/me')).json()).toMatchObject({ code: 118 });
});

test('its clock goes ahead, in Date too, and reports what it would accept', async () => {
  await using server = await extraHorizonServer({ clockSkewSeconds: 600, problemReporting: 'header' });
  const early = await call(server, '/users/v1/me');
  expect(early.status).toBe(401);
  const challenge = early.headers.get('www-authenticate') ?? '';
  expect(challenge).toMatch(/^OAuth realm="extra-horizon", oauth_problem="timestamp_refused", oauth_acceptable_timestamps="\d+-\d+"$/);
  const aheadMs = Date.parse(early.headers.get('date') ?? '') - Date.now();
  expect(Math.round(aheadMs / 10_000)).toBe(60);
  const parameters = { oauth_timestamp: `${Math.floor(Date.now() / 1000) + 600}` };
  expect((await call(server, '/users/v1/me', { parameters })).status).toBe(200);
});

test('reports problems in the body, on demand', async () => {
  await using server = await extraHorizonServer({ problemReporting: 'body' });
  const bare = await fetch(`${server.origin}/users/v1/me`);
  expect([bare.status, bare.headers.get('content-type')]).toEqual([400, 'application/x-www-form-urlencoded']);
  expect(await fields(bare)).toEqual({ oauth_problem: 'parameter_absent', oauth_parameters_absent: 'oauth_consumer_key&oauth_signature' });
  expect(await fields(await call(server, '/users/v1/me', noToken))).toMatchObject({ oauth_parameters_absent: 'oauth_token' });
});

test('what is wrong is told by code', async () => {
  await using server = await extraHorizonServer();
  expect(await (await fetch(`${server.origin}/users/v1/me`)).json()).toMatchObject({ code: 104 });
  expect(await (await call(server, '/users/v1/me', { consumerKey: 'x' })).json()).toMatchObject({ code: 107 });
  expect(await (await call(server, '/users/v1/me', { tokenSecret: 'x' })).json()).toMatchObject({ code: 109 });
  expect((await call(server, '/nowhere')).status).toBe(404);
});

async function temporary(server: ExtraHorizonServer, callback = 'https://app.example.com/done?state=1') {
  const answer = await call(server, '/oauth/initiate', { ...noToken, parameters: { oauth_callback: callback } }, { method: 'POST' });
  return fields(answer);
}

function consent(server: ExtraHorizonServer, token = ''): Promise<Response> {
  return fetch(`${server.authorizationEndpoint}?oauth_token=${token}`, { redirect: 'manual' });
}

function exchange(server: ExtraHorizonServer, credentials: Record<string, string>, verifier?: string): Promise<Response> {
  const { oauth_token: token = '', oauth_token_secret: tokenSecret = '' } = credentials;
  return call(server, '/oauth/token', { token, tokenSecret, parameters: { oauth_verifier: verifier } }, { method: 'POST' });
}

test('the three legs: temporary credentials, consent, token', async () => {
  await using server = await extraHorizonServer();
  const credentials = await temporary(server);
  expect(credentials).toEqual({
    oauth_token: expect.any(String),
    oauth_token_secret: expect.any(String),
    oauth_callback_confirmed: 'true',
  });
  const location = new URL((await consent(server, credentials['oauth_token'])).headers.get('location') ?? '');
  expect(location.href).toMatch(/^https:\/\/app\.example\.com\/done\?state=1&oauth_token=temporary-\w+&oauth_verifier=\w+$/);
  const verifier = location.searchParams.get('oauth_verifier') ?? '';
  expect(await (await exchange(server, credentials, `${verifier}0`)).json()).toMatchObject({ message: 'oauth_verifier is wrong.' });
  expect(await (await exchange(server, credentials)).json()).toMatchObject({ message: 'Missing: oauth_verifier.' });
  const granted = await fields(await exchange(server, credentials, verifier));
  expect(granted).toMatchObject({ user_id: server.user.id });
  const pair = { token: granted['oauth_token'] ?? '', tokenSecret: granted['oauth_token_secret'] ?? '' };
  expect((await call(server, '/users/v1/me', pair)).status).toBe(200);
  const repeated = await exchange(server, credentials, verifier);
  expect([repeated.status, await repeated.json()]).toEqual([401, expect.objectContaining({ message: expect.stringContaining('before') })]);
  expect((await consent(server, credentials['oauth_token'])).status).toBe(400);
});

test('temporary credentials want a callback, consent, and ten minutes at most', async () => {
  let nowMs = Date.now();
  await using server = await extraHorizonServer({ now: () => nowMs, timestampWindowSeconds: 1000 });
  const initiate = (callback: string | undefined) =>
    call(server, '/oauth/initiate', { ...noToken, parameters: { oauth_callback: callback } }, { method: 'POST' });
  expect(await (await initiate(undefined)).json()).toMatchObject({ message: 'Missing: oauth_callback.' });
  expect(await (await initiate('/relative')).json()).toMatchObject({ message: 'oauth_callback is no absolute URL.' });
  const credentials = await temporary(server, 'oob');
  expect(await (await exchange(server, credentials, 'guess')).json()).toMatchObject({ message: 'The resource owner has not consented.' });
  const page = await (await consent(server, credentials['oauth_token'])).text();
  const verifier = /: (\w+)\n$/.exec(page)?.[1];
  nowMs += 600_000;
  expect(await (await exchange(server, credentials, verifier)).json()).toMatchObject({ code: 118 });
});

test('the three legs go wrong on demand', async () => {
  await using unconfirmed = await extraHorizonServer({ threeLegged: { callbackConfirmed: 'absent', callbackToken: 'other' } });
  const credentials = await temporary(unconfirmed);
  expect(Object.keys(credentials)).toEqual(['oauth_token', 'oauth_token_secret']);
  const away = new URL((await consent(unconfirmed, credentials['oauth_token'])).headers.get('location') ?? '');
  expect(away.searchParams.get('oauth_token')).toBe(`${credentials['oauth_token']}-of-another`);
  await using refused = await extraHorizonServer({
    threeLegged: { callbackConfirmed: 'false', callbackToken: 'absent', consent: 'refused' },
  });
  const others = await temporary(refused, 'https://app.example.com/done');
  expect(others['oauth_callback_confirmed']).toBe('false');
  const back = await consent(refused, others['oauth_token']);
  expect(back.headers.get('location')).toBe('https://app.example.com/done?oauth_problem=user_refused');
});

test('faults apply to its token endpoint and its API', async () => {
  await using server = await extraHorizonServer();
  server.inject([
    { at: 'token', status: 503 },
    { at: 'api', status: 500 },
  ]);
  expect((await signIn(server, {})).status).toBe(503);
  expect((await call(server, '/users/v1/me')).status).toBe(500);
  expect((await call(server, '/users/v1/me')).status).toBe(200);
  expect(server.verdicts).toHaveLength(1);
});

import { expect, test } from 'vitest';
import { type HuvrServer, type HuvrServerOptions, huvrServer } from './huvr-server.ts';

const userAgent = { 'User-Agent': 'inspection-sync/1.0' };

function askToken(server: HuvrServer, init: RequestInit = {}): Promise<Response> {
  const body = JSON.stringify({ client_id: server.clientId, client_secret: server.clientSecret });
  const headers = { 'Content-Type': 'application/json', ...userAgent };
  return fetch(server.tokenEndpoint, { method: 'POST', body, headers, ...init });
}

async function newToken(server: HuvrServer): Promise<string> {
  const { access_token: accessToken } = (await (await askToken(server)).json()) as { access_token: string };
  return accessToken;
}

function callApi({ origin }: HuvrServer, authorization?: string, path = '/api/auth/user/'): Promise<Response> {
  return fetch(origin + path, { headers: { ...userAgent, ...(authorization === undefined ? {} : { Authorization: authorization }) } });
}

test('issues a bare access token for JSON credentials and accepts it with the Token scheme', async () => {
  await using server = await huvrServer();
  const answer = await askToken(server);
  const tokens = (await answer.json()) as Record<string, string>;
  expect([answer.status, Object.keys(tokens)]).toEqual([200, ['access_token']]);
  const me = await callApi(server, `Token ${tokens['access_token']}`);
  expect([me.status, await me.json()]).toEqual([200, { id: 1, username: 'huvr-client', client_id: 'huvr-client' }]);
  expect([server.issued, server.tokenRequests]).toEqual([1, 1]);
  expect(server.requests.map(({ route }) => route)).toEqual(['token', 'api']);
});

const shapes: readonly { readonly name: string; readonly options: HuvrServerOptions; readonly body: object }[] = [
  { name: 'token_type', options: { tokenType: 'Token' }, body: { access_token: expect.any(String), token_type: 'Token' } },
  {
    name: 'expires_in',
    options: { includeExpiresIn: true, lifetimeSeconds: 60 },
    body: { access_token: expect.any(String), expires_in: 60 },
  },
  { name: 'a nested path', options: { accessTokenPath: 'data.token' }, body: { data: { token: expect.any(String) } } },
];

for (const { name, options, body } of shapes) {
  test(`token answers can have ${name}`, async () => {
    await using server = await huvrServer(options);
    expect(await (await askToken(server)).json()).toEqual(body);
  });
}

const badRequests: readonly { readonly name: string; readonly init: RequestInit; readonly detail: object }[] = [
  {
    name: 'a form',
    init: { body: new URLSearchParams({ client_id: 'a' }), headers: userAgent },
    detail: { detail: 'Unsupported media type "application/x-www-form-urlencoded" in request.' },
  },
  { name: 'no JSON', init: { body: '{' }, detail: { detail: 'JSON parse error: an object was expected.' } },
  { name: 'an array', init: { body: '[]' }, detail: { detail: 'JSON parse error: an object was expected.' } },
  { name: 'a missing field', init: { body: '{"client_id":"huvr-client"}' }, detail: { client_secret: ['This field is required.'] } },
  {
    name: 'a wrong type and a blank',
    init: { body: '{"client_id":1,"client_secret":""}' },
    detail: { client_id: ['Not a valid string.'], client_secret: ['This field may not be blank.'] },
  },
  {
    name: 'an extra field',
    init: { body: '{"client_id":"huvr-client","client_secret":"s","grant_type":"client_credentials"}' },
    detail: { grant_type: ['Unexpected field.'] },
  },
];

for (const { name, init, detail } of badRequests) {
  test(`refuses ${name} with 400`, async () => {
    await using server = await huvrServer();
    const answer = await askToken(server, init);
    expect([answer.status, await answer.json()]).toEqual([400, detail]);
    expect([server.issued, server.tokenRequests]).toEqual([0, 1]);
  });
}

test('refuses wrong credentials with 401', async () => {
  await using server = await huvrServer({ clientSecret: 'right' });
  const answer = await askToken(server, { body: JSON.stringify({ client_id: 'huvr-client', client_secret: 'wrong' }) });
  expect([answer.status, await answer.json()]).toEqual([401, { detail: 'Incorrect authentication credentials.' }]);
});

for (const agent of [
  '',
  'node',
  'undici',
  'axios/1.21.1',
  'Deno/2.9.6',
  'Bun/1.4.5',
  'node-fetch/1.0 (+https://github.com/bitinn/node-fetch)',
]) {
  test(`blocks the User-Agent "${agent}" everywhere`, async () => {
    await using server = await huvrServer();
    const headers = { 'User-Agent': agent, 'Content-Type': 'application/json' };
    expect((await askToken(server, { headers })).status).toBe(403);
    const blocked = await fetch(`${server.origin}/api/assets/`, {
      headers: { ...headers, Authorization: `Token ${await newToken(server)}` },
    });
    expect([blocked.status, await blocked.json()]).toEqual([403, { detail: expect.stringContaining('User-Agent') }]);
    expect((await fetch(`${server.origin}/nowhere`, { headers })).status).toBe(403);
  });
}

test("fetch's own User-Agent is blocked, one that names an application is not", async () => {
  await using server = await huvrServer();
  expect((await askToken(server, { headers: { 'Content-Type': 'application/json' } })).status).toBe(403);
  for (const agent of ['my-app', 'my-app/1.0 (ops@example.com)', 'axios/1.21.1 my-app/2', 'Mozilla/5.0 (X11; Linux x86_64)']) {
    expect((await askToken(server, { headers: { 'Content-Type': 'application/json', 'User-Agent': agent } })).status).toBe(200);
  }
});

const refused: readonly { readonly authorization?: string; readonly detail: string }[] = [
  { detail: 'Authentication credentials were not provided.' },
  { authorization: 'Bearer abc', detail: 'Authentication credentials were not provided.' },
  { authorization: 'Token', detail: 'Invalid token header.' },
  { authorization: 'Token a b', detail: 'Invalid token header.' },
  { authorization: 'Token abc', detail: 'Invalid token.' },
];

for (const { authorization, detail } of refused) {
  test(`the API refuses ${authorization ?? 'no Authorization'} with a challenge`, async () => {
    await using server = await huvrServer();
    const answer = await callApi(server, authorization);
    expect([answer.status, answer.headers.get('www-authenticate'), await answer.json()]).toEqual([401, 'Token', { detail }]);
  });
}

test('a token lasts 60 minutes of the injected clock', async () => {
  let nowMs = 1_000_000;
  await using server = await huvrServer({ now: () => nowMs });
  const token = await newToken(server);
  nowMs += 3_599_999;
  expect((await callApi(server, `Token ${token}`)).status).toBe(200);
  nowMs += 1;
  const expired = await callApi(server, `Token ${token}`);
  expect([expired.status, await expired.json()]).toEqual([401, { detail: 'Token has expired.' }]);
});

test('expireTokens and revokeTokens refuse what was issued, not what comes after', async () => {
  await using server = await huvrServer();
  for (const refuse of [server.expireTokens, server.revokeTokens]) {
    const before = await newToken(server);
    refuse();
    expect((await callApi(server, `Token ${before}`)).status).toBe(401);
    expect((await callApi(server, `Token ${await newToken(server)}`)).status).toBe(200);
  }
});

test('onlyNewestToken refuses every earlier token', async () => {
  await using server = await huvrServer({ onlyNewestToken: true });
  const [first, second] = [await newToken(server), await newToken(server)];
  expect((await callApi(server, `Token ${first}`)).status).toBe(401);
  expect((await callApi(server, `token ${second}`)).status).toBe(200);
});

test('serves assets and echoes a POST', async () => {
  await using server = await huvrServer();
  const authorization = `Token ${await newToken(server)}`;
  expect(await (await callApi(server, authorization, '/api/assets/')).json()).toMatchObject({ count: 2, next: null });
  const posted = await fetch(`${server.origin}/api/assets/?x=1`, {
    method: 'POST',
    body: '{"name":"Tower"}',
    headers: { ...userAgent, Authorization: authorization },
  });
  expect([posted.status, await posted.json()]).toEqual([
    201,
    expect.objectContaining({ method: 'POST', url: `${server.origin}/api/assets/?x=1`, text: '{"name":"Tower"}' }),
  ]);
  expect((await callApi(server, authorization, '/api/nothing/')).status).toBe(404);
});

test('faults apply to its token endpoint and its API', async () => {
  await using server = await huvrServer();
  server.inject([
    { at: 'token', status: 503 },
    { at: 'api', status: 500 },
  ]);
  expect((await askToken(server)).status).toBe(503);
  const authorization = `Token ${await newToken(server)}`;
  expect((await callApi(server, authorization)).status).toBe(500);
  expect((await callApi(server, authorization)).status).toBe(200);
  expect([server.issued, server.tokenRequests]).toEqual([1, 2]);
  server.clearRequests();
  expect([server.issued, server.tokenRequests]).toEqual([1, 0]);
});

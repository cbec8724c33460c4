import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { AuthError, ConfigurationError, isAuthError } from '@authseam/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type OAuth1Transaction, oauth1Flow } from './oauth1-flow.ts';
import type { OAuth1FlowError } from './oauth1-flow-error.ts';
import type { OAuth1FlowOptions } from './oauth1-flow-options.ts';

const consumerSecret = 'canary/consumer+secret';
const tokenSecret = 'canary temporary&secret';
const verifier = 'canary-verifier';
const canaries = ['canary_word', consumerSecret, tokenSecret, verifier, 'canary-token-secret'];

const confirmed = { oauth_token: 'temporary', oauth_token_secret: tokenSecret, oauth_callback_confirmed: 'true' };
const granted = { oauth_token: 'granted', oauth_token_secret: 'canary-token-secret', user_id: '7', screen_name: 'jane & co' };

/** What the server is sent, as one line each: method, path, and what is signed beside the standard parameters. */
let seen: { readonly line: string; readonly authorization: string; readonly body: string; readonly headers: IncomingMessage['headers'] }[] =
  [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let origin = '';
let close: () => void;

beforeEach(async () => {
  seen = [];
  answer = (request, response) => form(response, request.url?.startsWith('/initiate') ? confirmed : granted);
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({
      line: `${request.method} ${request.url}`,
      authorization: request.headers.authorization ?? '',
      body,
      headers: request.headers,
    });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterEach(() => {
  vi.useRealTimers();
  close();
});

function form(response: ServerResponse, fields: Record<string, string> | string, status = 200): void {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
  response.writeHead(status, { 'Content-Type': 'text/html' }).end(body);
}

function flowOf(more: Partial<OAuth1FlowOptions> = {}) {
  return oauth1Flow({
    consumerKey: 'consumer',
    consumerSecret,
    requestTokenEndpoint: `${origin}/initiate?scope=a%20b`,
    authorizationEndpoint: `${origin}/authorize?lang=en`,
    accessTokenEndpoint: `${origin}/token`,
    callbackUrl: 'https://app.example.com/callback?own=1',
    ...more,
  });
}

const transaction = (): OAuth1Transaction => ({ token: 'temporary', tokenSecret, accessTokenEndpoint: `${origin}/token` });
const callback = `https://app.example.com/callback?own=1&oauth_token=temporary&oauth_verifier=${verifier}`;

async function errorOf(work: Promise<unknown>): Promise<OAuth1FlowError> {
  const error = await work.then(
    () => expect.unreachable(),
    (thrown: unknown) => thrown,
  );
  const shown = [inspect(error, { depth: null, showHidden: true }), JSON.stringify(error), String((error as Error).stack)].join('\n');
  const spellings = canaries.flatMap((secret) => [secret, encodeURIComponent(secret), encodeURIComponent(encodeURIComponent(secret))]);
  expect(spellings.filter((spelling) => shown.includes(spelling))).toEqual([]);
  return error as OAuth1FlowError;
}

test('the three legs', async () => {
  const flow = flowOf();
  const { url, transaction: kept } = await flow.start({ parameters: { force_login: 'true & so' } });
  expect(url).toBe(`${origin}/authorize?lang=en&oauth_token=temporary&force_login=true%20%26%20so`);
  expect(JSON.parse(JSON.stringify(kept))).toEqual(transaction());
  const credentials = await flow.finish(callback, JSON.parse(JSON.stringify(kept)));
  expect(credentials).toEqual({
    token: 'granted',
    tokenSecret: 'canary-token-secret',
    parameters: { user_id: '7', screen_name: 'jane & co' },
  });
  expect(seen.map(({ line, body }) => line + body)).toEqual(['POST /initiate?scope=a%20b', 'POST /token']);
  expect(seen[0]?.authorization).toContain('oauth_callback="https%3A%2F%2Fapp.example.com%2Fcallback%3Fown%3D1"');
  expect(seen[0]?.authorization).not.toContain('oauth_token=');
  expect(seen[1]?.authorization).toMatch(/oauth_token="temporary".*oauth_verifier="canary-verifier"/);
  expect(seen[1]?.authorization).not.toContain('oauth_callback=');
});

test('out of band the user types the verifier in', async () => {
  const flow = flowOf({ callbackUrl: 'oob' });
  const { transaction: kept } = await flow.start();
  expect(await flow.finish(` ${verifier}\n`, kept)).toMatchObject({ token: 'granted' });
  expect(seen[0]?.authorization).toContain('oauth_callback="oob"');
  expect(seen[1]?.authorization).toContain(`oauth_verifier="${verifier}"`);
  expect(await errorOf(flow.finish(' ', kept))).toMatchObject({ code: 'OAUTH1_FLOW_MISMATCH' });
});

const callbacks: readonly [string, (where: string) => string | URL][] = [
  ['a URL', () => new URL(callback)],
  ['a path and query', () => `/callback?oauth_token=temporary&oauth_verifier=${verifier}`],
  ['another scheme', () => callback.replace('https://app', 'com.example.app://app')],
  ['with a fragment', () => `${callback}#oauth_token=other`],
  ['with a parameter in Latin-1', () => `${callback}&name=J%FCrgen&%E9=1`],
  ['with a parameter of the application called denied', () => `${callback}&denied=0`],
];
test.each(callbacks)('the callback may be %s', async (_, of) => {
  expect(await flowOf().finish(of(origin), transaction())).toMatchObject({ token: 'granted' });
});

test('method, headers, placement, realm and parameters are the caller’s', async () => {
  const common = { headers: { 'User-Agent': 'my-app/1.0' }, parameters: { x_auth_access_type: 'read' } };
  await flowOf({ ...common, method: 'GET', placement: 'query' }).start();
  expect(seen[0]?.line).toMatch(/^GET \/initiate\?scope=a%20b&oauth_consumer_key=consumer&.*x_auth_access_type=read.*oauth_signature=/);
  await flowOf({ ...common, placement: 'form', signatureMethod: 'PLAINTEXT' }).start();
  expect(seen[1]?.body).toMatch(
    /oauth_signature_method=PLAINTEXT.*&oauth_callback=https.*oauth_signature=canary%252Fconsumer%252Bsecret%26$/,
  );
  expect(seen[1]?.headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'my-app/1.0' });
  await flowOf({ ...common, realm: 'api', timestampSeconds: () => 5, nonce: () => 'n', version: false }).start();
  expect(seen[2]?.authorization).toMatch(/^OAuth realm="api", .*oauth_nonce="n", .*oauth_timestamp="5", x_auth_access_type="read"/);
});

test('the token requests go through no authenticated client', async () => {
  const sent: string[] = [];
  const bare = (url: string | URL | Request, init?: RequestInit) => {
    sent.push(String(url));
    return fetch(url, init);
  };
  const authorized = Object.assign(async () => expect.unreachable(), { [Symbol.for('authseam.fetch')]: bare });
  await flowOf({ fetch: authorized as never }).start();
  expect(sent).toHaveLength(1);
});

type Hostile = readonly [name: string, answer: typeof answer, code: string, words: RegExp];
const anyStep: readonly Hostile[] = [
  ['a page', (_, response) => form(response, '<html>Sign in</html>'), 'OAUTH1_FLOW_BAD_ANSWER', /a page \(HTML or XML\)/],
  ['JSON', (_, response) => form(response, '{"oauth_token":"x"}'), 'OAUTH1_FLOW_BAD_ANSWER', /with JSON/],
  ['nothing', (_, response) => form(response, ''), 'OAUTH1_FLOW_BAD_ANSWER', /without a usable `oauth_token`: an empty body/],
  ['no UTF-8', (_, response) => form(response, 'oauth_token=%FF&oauth_token_secret=a'), 'OAUTH1_FLOW_BAD_ANSWER', /another text/],
  [
    'no token',
    (_, response) => form(response, { oauth_token_secret: tokenSecret }),
    'OAUTH1_FLOW_BAD_ANSWER',
    /without a usable `oauth_token`/,
  ],
  [
    'an empty token',
    (_, response) => form(response, { ...confirmed, oauth_token: '' }),
    'OAUTH1_FLOW_BAD_ANSWER',
    /without a usable `oauth_token`/,
  ],
  [
    'no token secret',
    (_, response) => form(response, { oauth_token: 'x', oauth_callback_confirmed: 'true' }),
    'OAUTH1_FLOW_BAD_ANSWER',
    /without a usable `oauth_token_secret`/,
  ],
  [
    'a line break in the secret',
    (_, response) => form(response, { ...confirmed, oauth_token_secret: `${tokenSecret}\r\nX` }),
    'OAUTH1_FLOW_BAD_ANSWER',
    /without a usable `oauth_token_secret`/,
  ],
  [
    'two tokens',
    (_, response) => form(response, `oauth_token=other&${new URLSearchParams(confirmed)}`),
    'OAUTH1_FLOW_BAD_ANSWER',
    /`oauth_token` more than once/,
  ],
  [
    'a redirect',
    (request, response) => {
      const [path = ''] = request.url?.split('?') ?? [];
      if (path === '/elsewhere') form(response, confirmed);
      else response.writeHead(307, { Location: '/elsewhere' }).end();
    },
    'OAUTH1_FLOW_BAD_ANSWER',
    /redirect \(status 307\)/,
  ],
  [
    'an endless answer',
    (_, response) => form(response, `${new URLSearchParams(confirmed)}&x=${'y'.repeat(70_000)}`),
    'OAUTH1_FLOW_BAD_ANSWER',
    /more than 64 KiB/,
  ],
  ['a broken connection', (_, response) => void response.destroy(), 'TOKEN_REQUEST_FAILED', /could not be reached, or broke off/],
  [
    'an answer that breaks off',
    (_, response) => {
      response.writeHead(200, { 'Content-Length': '900' }).write(new URLSearchParams(confirmed).toString());
      setTimeout(() => response.destroy(), 20);
    },
    'TOKEN_REQUEST_FAILED',
    /broke off/,
  ],
  [
    'a problem with status 200',
    (_, response) => form(response, { ...confirmed, oauth_problem: 'consumer_key_refused', oauth_problem_advice: `not ${tokenSecret}` }),
    'OAUTH1_FLOW_REFUSED',
    /refused with status 200: consumer_key_refused \(not \[redacted\]\).*Check `consumerKey`/,
  ],
  [
    'an error that echoes',
    (_, response) => form(response, `oauth_problem=${verifier}&${consumerSecret}`, 401),
    'OAUTH1_FLOW_REFUSED',
    /401\. /,
  ],
  [
    'a mute error',
    (_, response) => form(response, 'Failed', 403),
    'OAUTH1_FLOW_REFUSED',
    /403\. Check `consumerKey`, `consumerSecret` and that/,
  ],
  ['a full server', (_, response) => form(response, 'Failed', 503), 'OAUTH1_FLOW_REFUSED', /503\. Try again later/],
];
const unconfirmed: readonly Hostile[] = [undefined, 'false', 'TRUE', ''].map((value) => {
  const fields = {
    oauth_token: 'temporary',
    oauth_token_secret: tokenSecret,
    ...(value !== undefined && { oauth_callback_confirmed: value }),
  };
  return [
    `a callback confirmed by ${value}`,
    (_, response) => form(response, fields),
    'OAUTH1_FLOW_BAD_ANSWER',
    /did not confirm the callback/,
  ];
});

describe('what a server may answer', () => {
  test.each([...anyStep, ...unconfirmed])('temporary credentials: %s', async (_, hostile, code, words) => {
    answer = hostile;
    const error = await errorOf(flowOf().start());
    const endpoint = `${origin}/initiate`;
    expect(error).toMatchObject({ name: 'OAuth1FlowError', code, strategy: 'oauth1Flow', step: 'temporary-credentials', endpoint });
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`oauth1Flow: the request token endpoint at ${endpoint} `);
    expect([seen.length, isAuthError(error)]).toEqual([1, true]);
  });

  test.each(anyStep)('token credentials: %s', async (_, hostile, code, words) => {
    answer = hostile;
    const error = await errorOf(flowOf().finish(callback, transaction()));
    expect(error).toMatchObject({ code, step: 'token-credentials', endpoint: `${origin}/token` });
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`oauth1Flow: the access token endpoint at ${origin}/token `);
    expect(seen).toHaveLength(1);
  });

  test('a refusal shows what was signed', async () => {
    answer = (_, response) => {
      response.writeHead(401, { 'WWW-Authenticate': 'OAuth oauth_problem="signature_invalid"', Date: new Date(0).toUTCString() }).end();
    };
    const error = await errorOf(flowOf().finish(callback, transaction()));
    expect(error).toMatchObject({
      oauthProblem: 'signature_invalid',
      status: 401,
      message: expect.stringMatching(/`consumerSecret` first/),
    });
    expect(`${error.explanation}`).toMatch(/POST&http.*oauth_verifier%3Dca…er/);
    expect(`${error.explanation}`).toMatch(/s ahead of the server's clock/);
  });

  test('a wrong clock is told with both times', async () => {
    answer = (_, response) => {
      response.writeHead(401, { Date: 'Thu, 01 Jan 2026 00:00:00 GMT' }).end('oauth_problem=timestamp_refused');
    };
    const { message } = await errorOf(flowOf({ timestampSeconds: () => 0 }).start());
    expect(message).toMatch(/signed at 1970-01-01T00:00:00.000Z; the server's clock says 2026-01-01T00:00:00.000Z\. Set the clock/);
  });
});

test('secrets in the words of a server or a fetch are masked', async () => {
  answer = (_, response) => form(response, 'oauth_problem=canary_word', 401);
  expect(await errorOf(flowOf({ consumerSecret: 'canary_word' }).start())).toMatchObject({ oauthProblem: '[redacted]' });
  const fetch = () => Promise.reject(Object.assign(new Error(`lost ${consumerSecret}, ${tokenSecret}`), { init: { verifier } }));
  const error = await errorOf(flowOf({ fetch }).finish(callback, transaction()));
  expect(error).toMatchObject({ code: 'TOKEN_REQUEST_FAILED', cause: { message: 'lost [redacted], [redacted]' } });
});

test('no timer outlives its request', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const answers = [new Response(new URLSearchParams(confirmed)), new Response('', { status: 500 })];
  const flow = flowOf({ fetch: async () => answers.shift() ?? Response.error() });
  await flow.start();
  expect(vi.getTimerCount()).toBe(0);
  await errorOf(flow.start());
  expect(vi.getTimerCount()).toBe(0);
});

describe('a server that stalls', () => {
  const stalls: readonly [string, typeof answer][] = [
    ['before its answer', () => {}],
    ['within its answer', (_, response) => void response.writeHead(200).write('oauth_token=temporary')],
  ];
  test.each(stalls)('%s, for 10 s', async (_, stalled) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    answer = stalled;
    const error = errorOf(flowOf().start());
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(9_999);
    const early = await Promise.race([error, Promise.resolve('waits')]);
    await vi.advanceTimersByTimeAsync(1);
    expect([early, (await error).code]).toEqual(['waits', 'TOKEN_REQUEST_TIMEOUT']);
    expect((await error).message).toContain('did not answer within 10000 ms');
  });

  test('and a fetch that ignores its signal, hold nobody', async () => {
    const fetch = () => new Promise<Response>(() => {});
    expect(await errorOf(flowOf({ fetch, timeoutMs: 5 }).start())).toMatchObject({ code: 'TOKEN_REQUEST_TIMEOUT' });
    const controller = new AbortController();
    const waiting = flowOf({ fetch }).finish(callback, transaction(), { signal: controller.signal });
    controller.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
  });

  test('is left at once by a caller that leaves; one that has left sends nothing', async () => {
    answer = () => {};
    const controller = new AbortController();
    const waiting = flowOf().start({ signal: controller.signal });
    waiting.catch(() => {});
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    await expect(flowOf().start({ signal: controller.signal })).rejects.toThrow('left');
    expect(seen).toHaveLength(1);
  });
});

const query = (text: string): string => `https://app.example.com/callback?${text}`;
const returns: readonly [string, string, string, RegExp, string?][] = [
  ['the token of another', query('oauth_token=other&oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /`oauth_token` of another flow/],
  [
    'a second token',
    query('oauth_token=temporary&oauth_token=other&oauth_verifier=v'),
    'OAUTH1_FLOW_MISMATCH',
    /`oauth_token` more than once/,
  ],
  ['the same token twice', query('oauth_token=temporary&oauth_token=temporary&oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /more than once/],
  [
    'an encoded second token',
    query('oauth_token=temporary&%6Fauth_token=other&oauth_verifier=v'),
    'OAUTH1_FLOW_MISMATCH',
    /more than once/,
  ],
  ['a second verifier', query('oauth_token=temporary&oauth_verifier=v&oauth_verifier=w'), 'OAUTH1_FLOW_MISMATCH', /`oauth_verifier` more/],
  ['no token', query('oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /has no `oauth_token`/],
  ['no verifier', query('oauth_token=temporary'), 'OAUTH1_FLOW_MISMATCH', /has no `oauth_verifier`/],
  ['an empty verifier', query('oauth_token=temporary&oauth_verifier='), 'OAUTH1_FLOW_MISMATCH', /has no `oauth_verifier`/],
  ['the fragment only', query('a=1#oauth_token=temporary&oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /has no `oauth_token`/],
  ['no URL', 'https://', 'OAUTH1_FLOW_MISMATCH', /is no URL/],
  ['no UTF-8', query('oauth_token=%FF&oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /is no URL/],
  ['a code, without oob', verifier, 'OAUTH1_FLOW_MISMATCH', /has no `oauth_token`/],
  ['denied, as X says it', query('denied=temporary'), 'OAUTH1_FLOW_DENIED', /came back without consent\. /],
  ['a refusal', query('oauth_problem=user_refused'), 'OAUTH1_FLOW_DENIED', /came back without consent \(user_refused\)/, 'user_refused'],
  [
    'a refusal with a token',
    query('oauth_token=temporary&oauth_problem=permission_denied'),
    'OAUTH1_FLOW_DENIED',
    /\(permission_denied\)/,
    'permission_denied',
  ],
  ['a refusal with the token of another', query('oauth_token=other&oauth_problem=user_refused'), 'OAUTH1_FLOW_MISMATCH', /of another flow/],
  ['a blank in the verifier', query('oauth_token=temporary&oauth_verifier=a+b'), 'OAUTH1_FLOW_MISMATCH', /blanks or control/],
  ['a line break in the verifier', query('oauth_token=temporary&oauth_verifier=a%0A'), 'OAUTH1_FLOW_MISMATCH', /blanks or control/],
  ['a refusal in words', query(`oauth_problem=%3Cb%3E${verifier}`), 'OAUTH1_FLOW_DENIED', /without consent\. /],
];
test.each(returns)('a user who comes back with %s sends nothing', async (_, back, code, words, oauthProblem) => {
  const error = await errorOf(flowOf().finish(back, transaction()));
  expect(error).toMatchObject({ name: 'OAuth1FlowError', code, step: 'authorization', endpoint: `${origin}/authorize`, oauthProblem });
  expect(error.message).toMatch(words);
  expect(seen).toEqual([]);
});

test('the transaction of another server sends nothing', async () => {
  const other = { ...transaction(), accessTokenEndpoint: 'https://other.example.com/token' };
  expect(await errorOf(flowOf().finish(callback, other))).toMatchObject({ code: 'OAUTH1_FLOW_MISMATCH' });
  for (const none of [undefined, null, {}, { ...transaction(), token: '' }, { ...transaction(), tokenSecret: 1 }]) {
    await expect(flowOf().finish(callback, none as never)).rejects.toMatchObject({ option: 'transaction' });
  }
  expect(seen).toEqual([]);
});

const misuse: readonly [string, object][] = [
  ['requestTokenEndpoint', { requestTokenEndpoint: undefined }],
  ['requestTokenEndpoint', { requestTokenEndpoint: 'http://api.example.com/initiate' }],
  ['authorizationEndpoint', { authorizationEndpoint: '/authorize' }],
  ['authorizationEndpoint', { authorizationEndpoint: 'https://api.example.com/authorize?oauth_token=mine' }],
  ['accessTokenEndpoint', { accessTokenEndpoint: 'https://user:canary-token-secret@api.example.com/token' }],
  ['accessTokenEndpoint', { accessTokenEndpoint: 'https://api.example.com/token#x' }],
  ['callbackUrl', { callbackUrl: undefined }],
  ['callbackUrl', { callbackUrl: '/callback' }],
  ['callbackUrl', { callbackUrl: 'https://app.example.com/#callback' }],
  ['callbackUrl', { callbackUrl: 'https://app.example.com/?oauth_verifier=1' }],
  ['method', { method: 'PUT' }],
  ['placement', { method: 'GET', placement: 'form' }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['fetch', { fetch: 'fetch' }],
  ['now', { now: 1 }],
  ['headers', { headers: { Authorization: 'x' } }],
  ['headers', { headers: { 'User-Agent': 'a\nb' } }],
  ['headers', { headers: new Headers({ Authorization: 'x' }) }],
  ['headers', { headers: new Map([['User-Agent', 'x']]) }],
  ['headers', { headers: null }],
  ['parameters', { parameters: null }],
  ['parameters', { parameters: { oauth_callback: 'oob' } }],
  ['consumerKey', { consumerKey: '' }],
  ['consumerSecret', { consumerSecret: undefined }],
  ['privateKey', { signatureMethod: 'RSA-SHA1' }],
  ['signatureMethod', { signatureMethod: 'HMAC-MD5' }],
];
test.each(misuse)('%s is checked at once (%#)', (option, more) => {
  const make = () => flowOf(more);
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(expect.objectContaining({ option, message: expect.not.stringContaining('canary') }));
});

test('parameters of the authorization URL do not collide', async () => {
  for (const parameters of [{ oauth_token: 'x' }, { lang: 'de' }, { a: 1 }]) {
    await expect(flowOf().start({ parameters: parameters as never })).rejects.toMatchObject({ option: 'parameters' });
  }
  expect(seen).toEqual([]);
});

test('secrets may be functions; one that fails is named, and its words are not a server’s', async () => {
  await flowOf({ consumerKey: async () => 'consumer', consumerSecret: () => consumerSecret }).start();
  expect(seen[0]?.authorization).toContain('oauth_consumer_key="consumer"');
  const consumerKey = () => Promise.reject(new Error('vault is sealed'));
  const error = await errorOf(flowOf({ consumerKey }).start());
  expect(error).toBeInstanceOf(AuthError);
  expect(error).toMatchObject({
    code: 'STRATEGY_FAILED',
    message: expect.stringMatching(/`consumerKey` failed/),
    cause: { message: 'vault is sealed' },
  });
  expect(seen).toHaveLength(1);
});

test('no options at all are refused', async () => {
  expect(() => oauth1Flow(undefined as never)).toThrow(ConfigurationError);
  expect(() => oauth1Flow(null as never)).toThrow(ConfigurationError);
  for (const none of [null, { parameters: null }]) await expect(flowOf().start(none as never)).rejects.toBeInstanceOf(ConfigurationError);
  await expect(flowOf().finish(callback, transaction(), null as never)).rejects.toBeInstanceOf(ConfigurationError);
  expect(seen).toEqual([]);
});

test('out of band, what is no code sends nothing', async () => {
  const flow = flowOf({ callbackUrl: 'oob' });
  for (const code of [undefined, null, 1234, '', 'a b', 'a\u0000b']) {
    expect(await errorOf(flow.finish(code as never, transaction()))).toMatchObject({ code: 'OAUTH1_FLOW_MISMATCH' });
  }
  expect(seen).toEqual([]);
});

test('a Headers object is read, and parameters go with both requests', async () => {
  const flow = flowOf({ headers: new Headers({ 'User-Agent': 'my-app/1.0' }), parameters: { x_vendor: 'v' } });
  const { transaction: kept } = await flow.start();
  await flow.finish(callback, kept);
  expect(seen.map(({ headers }) => headers['user-agent'])).toEqual(['my-app/1.0', 'my-app/1.0']);
  for (const { authorization } of seen) expect(authorization).toContain('x_vendor="v"');
});

test('what else an answer holds need not be UTF-8', async () => {
  answer = (_, response) => form(response, `${new URLSearchParams(granted)}&name=J%FCrgen`);
  expect((await flowOf().finish(callback, transaction())).parameters).toMatchObject({ user_id: '7', name: 'J\ufffdrgen' });
});

test.each(['nonce', 'now', 'timestampSeconds'])('a function `%s` that fails is named, without secrets', async (option) => {
  const fails = () => {
    throw new Error(`broken by ${consumerSecret} and ${tokenSecret}`);
  };
  const error = await errorOf(flowOf({ [option]: fails }).finish(callback, transaction()));
  expect(error).toMatchObject({ code: 'STRATEGY_FAILED', cause: { message: 'broken by [redacted] and [redacted]' } });
  expect(error.message).toContain(`\`${option}\` failed`);
  expect(seen).toEqual([]);
});

test('a timestamp in microseconds is no error of its own', async () => {
  answer = (_, response) => form(response, 'oauth_problem=timestamp_refused', 401);
  const error = await errorOf(flowOf({ timestampSeconds: () => 1_700_000_000_000_000 }).start());
  expect(error).toMatchObject({ code: 'OAUTH1_FLOW_REFUSED', message: expect.stringContaining('signed at nothing') });
});

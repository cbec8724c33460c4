import { isAuthError } from '@authseam/core';
import { describe, expect, test, vi } from 'vitest';
import {
  answerWith,
  callback,
  confirmed,
  consumerSecret,
  errorOf,
  type FlowAnswer,
  flowOf,
  form,
  origin,
  seen,
  startServer,
  tokenSecret,
  transaction,
  verifier,
} from './fixtures/flow-server.ts';

startServer();

type Hostile = readonly [name: string, answer: FlowAnswer, code: string, words: RegExp];
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
    answerWith(hostile);
    const error = await errorOf(flowOf().start());
    const endpoint = `${origin}/initiate`;
    expect(error).toMatchObject({ name: 'OAuth1FlowError', code, strategy: 'oauth1Flow', step: 'temporary-credentials', endpoint });
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`oauth1Flow: the request token endpoint at ${endpoint} `);
    expect([seen.length, isAuthError(error)]).toEqual([1, true]);
  });

  test.each(anyStep)('token credentials: %s', async (_, hostile, code, words) => {
    answerWith(hostile);
    const error = await errorOf(flowOf().finish(callback, transaction()));
    expect(error).toMatchObject({ code, step: 'token-credentials', endpoint: `${origin}/token` });
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`oauth1Flow: the access token endpoint at ${origin}/token `);
    expect(seen).toHaveLength(1);
  });

  test('a refusal shows what was signed', async () => {
    answerWith((_, response) => {
      response.writeHead(401, { 'WWW-Authenticate': 'OAuth oauth_problem="signature_invalid"', Date: new Date(0).toUTCString() }).end();
    });
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
    answerWith((_, response) => {
      response.writeHead(401, { Date: 'Thu, 01 Jan 2026 00:00:00 GMT' }).end('oauth_problem=timestamp_refused');
    });
    const { message } = await errorOf(flowOf({ timestampSeconds: () => 0 }).start());
    expect(message).toMatch(/signed at 1970-01-01T00:00:00.000Z; the server's clock says 2026-01-01T00:00:00.000Z\. Set the clock/);
  });
});

test('secrets in the words of a server or a fetch are masked', async () => {
  answerWith((_, response) => form(response, 'oauth_problem=canary_word', 401));
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
  const stalls: readonly [string, FlowAnswer][] = [
    ['before its answer', () => {}],
    ['within its answer', (_, response) => void response.writeHead(200).write('oauth_token=temporary')],
  ];
  test.each(stalls)('%s, for 10 s', async (_, stalled) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    answerWith(stalled);
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
    answerWith(() => {});
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

test('a timestamp in microseconds is no error of its own', async () => {
  answerWith((_, response) => form(response, 'oauth_problem=timestamp_refused', 401));
  const error = await errorOf(flowOf({ timestampSeconds: () => 1_700_000_000_000_000 }).start());
  expect(error).toMatchObject({ code: 'OAUTH1_FLOW_REFUSED', message: expect.stringContaining('signed at nothing') });
});

// OAuth Problem Reporting; RFC 5849 §3.2, §3.3; RELIABILITY.md, Secrets.
import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import { type AuthContext, type AuthResponse, isAuthError } from '@authseam/core';
import { authorizedFetch } from '@authseam/core/fetch';
import { describe, expect, it, vi } from 'vitest';
import { aRequest, context } from './fixtures/a-request.ts';
import { oauth1 } from './oauth1.ts';
import type { OAuth1Error } from './oauth1-error.ts';
import type { OAuth1Options } from './oauth1-options.ts';
import type { SignedRequest } from './sign-request.ts';

const options = { consumerKey: 'key', consumerSecret: 'canary-consumer/+', token: 'canary-token', tokenSecret: 'canary-other' } as const;
const NOW_SECONDS = context.now() / 1000;

interface Answer {
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly status?: number;
}

function responseOf({ headers = {}, body = '', status = 401 }: Answer): AuthResponse {
  const text = async (): Promise<string> => body;
  return { status, url: 'https://api.example.com/items', headers: new Headers(headers), text, json: async () => JSON.parse(body) };
}

function challenge(problem: string, more = ''): Answer {
  return { headers: { 'WWW-Authenticate': `OAuth realm="api", oauth_problem="${problem}"${more}` } };
}

function dateAt(offsetSeconds: number): Record<string, string> {
  return { Date: new Date((NOW_SECONDS + offsetSeconds) * 1000).toUTCString() };
}

/** Signs, is rejected with `answer`, and recovers. */
async function recoverFrom(answer: Answer, strategy = oauth1(options), request = aRequest(), at: AuthContext = context): Promise<boolean> {
  const { receipt } = await strategy.authorize(request, at);
  return (await strategy.recover?.(responseOf(answer), { request, receipt }, at)) ?? false;
}

async function errorFrom(answer: Answer, given: Partial<OAuth1Options> = {}): Promise<OAuth1Error> {
  const error = await recoverFrom(answer, oauth1({ ...options, ...given })).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'OAuth1Error', code: 'OAUTH1_REJECTED', strategy: 'oauth1' });
  expect(isAuthError(error)).toBe(true);
  return error as OAuth1Error;
}

function timestampOf(strategy: ReturnType<typeof oauth1>, url?: string, at = context): number | undefined {
  return (strategy.authorize(aRequest(url === undefined ? {} : { url }), at) as { receipt?: SignedRequest }).receipt?.timestampSeconds;
}

describe('where the problem is named', () => {
  it.each<[string, Answer, string, string | undefined]>([
    ['the challenge', challenge('token_rejected', ', oauth_problem_advice="ask%20again"'), 'token_rejected', 'ask again'],
    [
      'a challenge among others',
      { headers: { 'WWW-Authenticate': 'Bearer realm="x", oauth oauth_problem="nonce_used"' } },
      'nonce_used',
      undefined,
    ],
    [
      'absent parameters',
      challenge('parameter_absent', ', oauth_parameters_absent="oauth_version%26oauth_nonce"'),
      'parameter_absent',
      'oauth_version&oauth_nonce',
    ],
    ['a form body', { body: 'oauth_problem=signature_invalid&oauth_problem_advice=a+b\n' }, 'signature_invalid', 'a b'],
    ['a JSON body', { body: '{"oauth_problem":"consumer_key_unknown","oauth_problem_advice":"a"}' }, 'consumer_key_unknown', 'a'],
    ['a JSON body, within', { body: '{"error":{"oauth_problem":"token_expired"}}' }, 'token_expired', undefined],
    [
      'a JSON body, as text (Magento)',
      { body: '{"messages":{"error":[{"code":401,"message":"oauth_problem=nonce_used"}]}}' },
      'nonce_used',
      undefined,
    ],
  ])('%s', async (_name, answer, oauthProblem, oauthProblemAdvice) => {
    const error = await errorFrom(answer);
    expect(error).toMatchObject({ oauthProblem, oauthProblemAdvice });
    expect(error.message).toContain(`https://api.example.com refused the request: ${oauthProblem}`);
  });

  it.each<[string, Answer]>([
    ['nothing', {}],
    ['another challenge', { headers: { 'WWW-Authenticate': 'Bearer oauth_problem="token_rejected"' } }],
    ['HTML', { body: '<html>oauth_problem</html>' }],
    ['JSON about something else', { body: '{"code":117}' }],
    ['JSON that is none', { body: '{"oauth_problem":' }],
    ['JSON null', { body: 'null' }],
    ['a problem that is no word', challenge('a b<script>')],
    ['a problem that is no text', { body: '{"oauth_problem":{"a":1}}' }],
  ])('a rejection that names none goes to the caller: %s', async (_name, answer) => {
    expect(await recoverFrom(answer)).toBe(false);
  });

  it('a body that breaks off names none', async () => {
    const strategy = oauth1(options);
    const { receipt } = await strategy.authorize(aRequest(), context);
    const broken = { ...responseOf({}), text: () => Promise.reject(new Error('reset')) };
    expect(await strategy.recover?.(broken, { request: aRequest(), receipt }, context)).toBe(false);
  });
});

describe('what the error says', () => {
  it.each([
    ['signature_invalid', 'consumerSecret'],
    ['consumer_key_rejected', 'consumerKey'],
    ['token_revoked', '`token`'],
    ['nonce_used', 'twice'],
    ['signature_method_rejected', 'signatureMethod'],
    ['version_rejected', 'version: false'],
    ['permission_denied', 'does not allow'],
    ['something_else', 'documentation'],
    ['constructor', 'documentation'],
  ])('for %s leads to %s', async (problem, hint) => {
    expect((await errorFrom(challenge(problem))).message).toContain(hint);
  });

  it('holds no secret, though the server repeats them', async () => {
    const spellings = Object.values(options)
      .slice(1)
      .flatMap((secret) => [
        secret,
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64'),
        Buffer.from(secret).toString('hex'),
      ]);
    const signature = 'canary-consumer%2F%2B&canary-other';
    const form = new URLSearchParams({ oauth_problem: 'signature_invalid', oauth_problem_advice: [...spellings, signature].join(' ') });
    for (const error of [
      await errorFrom({ body: form.toString() }),
      await errorFrom(challenge('canary_token', ', oauth_problem_advice="canary_token"'), { token: 'canary_token' }),
    ]) {
      const shown = [error.stack, inspect(error, { depth: Infinity, showHidden: true }), JSON.stringify(error)].join('\n');
      for (const secret of [...spellings, signature, 'canary_token']) expect(shown).not.toContain(secret);
    }
  });
});

describe('a refused timestamp', () => {
  const refused = (offsetSeconds: number): Answer => ({ headers: { ...challenge('timestamp_refused').headers, ...dateAt(offsetSeconds) } });

  it.each([-86_400, -301, 301, 3_600])("is sent once more by the server's clock: %i s", async (offsetSeconds) => {
    const strategy = oauth1(options);
    expect(await recoverFrom(refused(offsetSeconds), strategy)).toBe(true);
    expect(timestampOf(strategy)).toBe(NOW_SECONDS + offsetSeconds);
  });

  it('in the body as well', async () => {
    expect(await recoverFrom({ body: 'oauth_problem=timestamp_refused', headers: dateAt(600) })).toBe(true);
  });

  it('is learnt for that origin alone', async () => {
    const strategy = oauth1(options);
    await recoverFrom(refused(600), strategy);
    expect(timestampOf(strategy, 'https://api.example.com/other?a=b')).toBe(NOW_SECONDS + 600);
    expect(timestampOf(strategy, 'https://other.example.com/')).toBe(NOW_SECONDS);
    expect(timestampOf(strategy, 'https://api.example.com:8443/')).toBe(NOW_SECONDS);
  });

  it('is added to a clock of your own', async () => {
    const strategy = oauth1({ ...options, timestampSeconds: () => 1000 });
    await recoverFrom(refused(0), strategy);
    expect(timestampOf(strategy)).toBe(NOW_SECONDS);
  });

  it('that another request has mended meanwhile is sent once more, without a Date', async () => {
    const strategy = oauth1(options);
    const early = await strategy.authorize(aRequest(), context);
    await recoverFrom(refused(600), strategy);
    const late = strategy.recover?.(responseOf(challenge('timestamp_refused')), { request: aRequest(), receipt: early.receipt }, context);
    expect(await late).toBe(true);
    expect(timestampOf(strategy)).toBe(NOW_SECONDS + 600);
  });

  it.each<[string, Answer, RegExp]>([
    ["the server's clock agrees", refused(2), /signed at 2023-11-14T22:13:20.000Z; the server's clock says 2023-11-14T22:13:22.000Z/],
    ['there is no Date', challenge('timestamp_refused'), /the server's clock says nothing/],
    ['Date is none', { headers: { ...challenge('timestamp_refused').headers, Date: 'yesterday' } }, /says nothing/],
  ])('is an error when %s', async (_name, answer, message) => {
    expect((await errorFrom(answer)).message).toMatch(message);
  });

  it.each(['signature_invalid', 'timestamp_refused'])('in microseconds is no date, and the error is still %s', async (problem) => {
    const error = await errorFrom(challenge(problem), { timestampSeconds: () => NOW_SECONDS * 1e6 });
    expect(error).toMatchObject({ code: 'OAUTH1_REJECTED', oauthProblem: problem });
    expect(error.message.includes('1700000000000000 seconds, which is no date')).toBe(problem === 'timestamp_refused');
  });

  it('is mended again when the server changes its clock, and an error while it does not', async () => {
    const strategy = oauth1(options);
    await recoverFrom(refused(600), strategy);
    await expect(recoverFrom(refused(601), strategy)).rejects.toThrow('timestamp_refused');
    expect(await recoverFrom(refused(0), strategy)).toBe(true);
    expect(timestampOf(strategy)).toBe(NOW_SECONDS);
  });

  it('is mended once for a request, not for ever', async () => {
    const strategy = oauth1(options);
    await expect(recoverFrom(refused(600), strategy, aRequest({ attempt: 2 }))).rejects.toThrow('timestamp_refused');
  });

  it('costs one more request through fetch, with another nonce', async () => {
    const sent: string[] = [];
    const server = vi.fn(async (_input: string | URL | Request, init?: RequestInit) => {
      const authorization = new Headers(init?.headers).get('authorization') ?? '';
      sent.push(authorization);
      const timestamp = Number(/oauth_timestamp="(\d+)"/.exec(authorization)?.[1]);
      const serverSeconds = Math.floor(Date.now() / 1000) + 3_600;
      const isFresh = Math.abs(timestamp - serverSeconds) < 300;
      const headers = { ...challenge('timestamp_refused').headers, Date: new Date(serverSeconds * 1000).toUTCString() };
      return isFresh ? new Response('ok') : new Response('', { status: 401, headers });
    });
    const api = authorizedFetch(server, oauth1(options));
    const answers = [await api('https://api.example.com/'), await api('https://api.example.com/')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(server).toHaveBeenCalledTimes(3);
    expect(new Set(sent.map((header) => /oauth_nonce="(\w+)"/.exec(header)?.[1])).size).toBe(3);
  });
});

describe('rejections', () => {
  it('are tried once more when a credential was rotated meanwhile, and not when it was not', async () => {
    const token = vi.fn<() => string>().mockReturnValueOnce('old').mockReturnValue('new');
    const strategy = oauth1({ ...options, token });
    expect(await recoverFrom(challenge('token_expired'), strategy)).toBe(true);
    expect(await recoverFrom({}, strategy)).toBe(false);
    await expect(recoverFrom(challenge('token_expired'), strategy)).rejects.toThrow('token_expired');
  });

  it('of one tenant are not sent again because another one came in between', async () => {
    const tenants = new AsyncLocalStorage<string>();
    const tenant = (): string => tenants.getStore() ?? '';
    const bothSent = Promise.withResolvers<void>();
    const server = vi.fn(async (_input: string | URL | Request, _init?: RequestInit) => {
      if (server.mock.calls.length === 2) bothSent.resolve();
      await bothSent.promise;
      return new Response('', { status: 401 });
    });
    const api = authorizedFetch(server, oauth1({ ...options, token: tenant, tokenSecret: tenant }));
    const post = () => api('https://api.example.com/', { method: 'POST', body: 'text' });
    const answers = await Promise.all([tenants.run('tenant-a', post), tenants.run('tenant-b', post)]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(server).toHaveBeenCalledTimes(2);
  });

  it('are what the caller says, too: Extra Horizon answers 400, 401 or 403 with a code', async () => {
    const isRejected = vi.fn(async (response: AuthResponse) => [117, 118].includes(((await response.json()) as { code: number }).code));
    const strategy = oauth1({ ...options, isRejected });
    expect(
      await strategy.isRejected?.(responseOf({ status: 403, body: '{"code":118}' }), { request: aRequest(), receipt: undefined }),
    ).toBe(true);
    const api = authorizedFetch(async () => Response.json({ code: 118 }, { status: 400 }), strategy);
    const response = await api('https://api.example.com/');
    expect([response.status, await response.json()]).toEqual([400, { code: 118 }]);
  });

  it('are a 400 that names its problem, and no other', async () => {
    const { isRejected } = oauth1(options);
    const judge = (answer: Answer) => isRejected?.(responseOf(answer), { request: aRequest(), receipt: undefined });
    expect(await judge({ ...challenge('signature_method_rejected'), status: 400 })).toBe(true);
    expect(await judge({ body: 'oauth_problem=parameter_absent', status: 400 })).toBe(true);
    expect(await judge({ body: '{"message":"name is missing"}', status: 400 })).toBe(false);
    expect(await judge({ ...challenge('permission_denied'), status: 403 })).toBe(false);
  });

  it('of a request that this strategy did not sign are none of its business', async () => {
    expect(await oauth1(options).recover?.(responseOf(challenge('nonce_used')), { request: aRequest(), receipt: undefined }, context)).toBe(
      false,
    );
  });

  it('through fetch end in the error that says why, and nothing is sent again', async () => {
    const server = vi.fn(async () => new Response('', { status: 401, ...challenge('signature_invalid') }));
    await expect(authorizedFetch(server, oauth1(options))('https://api.example.com/')).rejects.toThrow('signature_invalid');
    expect(server).toHaveBeenCalledOnce();
  });
});

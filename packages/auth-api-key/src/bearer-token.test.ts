// RFC 6750 §2.1; RFC 9110 §11.1.
import { inspect } from 'node:util';
import type { AuthContext, AuthPatch, AuthRequest, AuthResponse, TokenSet, TokenSource } from '@authseam/core';
import { describe, expect, it, vi } from 'vitest';
import { type BearerTokenOptions, bearerToken } from './bearer-token.ts';

const context: AuthContext = { now: Date.now, emit: () => {} };
const request: AuthRequest = { method: 'GET', url: 'https://api.example.com/', headers: new Headers(), replayable: true, attempt: 1 };

function response(status: number, challenge?: string): AuthResponse {
  const headers = new Headers(challenge === undefined ? {} : { 'WWW-Authenticate': challenge });
  return { status, url: request.url, headers, text: async () => '', json: async () => null };
}

const authorization = (patch: unknown): string | undefined => (patch as AuthPatch).headers?.['Authorization'];

describe('a string', () => {
  it('is sent as it is, in one and the same patch', () => {
    const strategy = bearerToken({ token: 'mF_9.B5f-4.1JqM' });
    const patch = strategy.authorize(request, context);
    expect(authorization(patch)).toBe('Bearer mF_9.B5f-4.1JqM');
    expect(strategy.authorize(request, context)).toBe(patch);
  });

  it('has nothing to recover: it cannot change, so the 401 is the answer', () => {
    expect(bearerToken({ token: 'a' }).recover).toBeUndefined();
  });
});

describe('a function', () => {
  it('is not asked at construction, and asked for every request', () => {
    const token = vi.fn<() => string>().mockReturnValueOnce('one').mockReturnValueOnce('two');
    const strategy = bearerToken({ token });
    expect(token).not.toHaveBeenCalled();
    expect([1, 2].map(() => authorization(strategy.authorize(request, context)))).toEqual(['Bearer one', 'Bearer two']);
  });

  it('is checked each time that it answers something else', () => {
    const token = vi
      .fn<() => string>()
      .mockReturnValueOnce('one')
      .mockReturnValueOnce('one')
      .mockReturnValueOnce('Bearer two')
      .mockReturnValue('one');
    const strategy = bearerToken({ token });
    const first = strategy.authorize(request, context);
    expect(strategy.authorize(request, context)).toBe(first);
    expect(() => strategy.authorize(request, context)).toThrow('leave out `Bearer`');
    expect(authorization(strategy.authorize(request, context))).toBe('Bearer one');
  });

  it('may answer late', async () => {
    const patch = bearerToken({ token: async () => 'late' }).authorize(request, context);
    expect(patch).toBeInstanceOf(Promise);
    expect(authorization(await patch)).toBe('Bearer late');
  });

  it.each([
    ['without a challenge', undefined, true],
    ['that says that the token has expired', 'Bearer error="invalid_token"', true],
    ['that wants another scheme', 'Basic realm="x"', true],
    ['that wants more scope', 'Bearer error="insufficient_scope"', true],
  ])('is asked again after a 401 %s: that costs nobody a token request', async (_name, challenge, again) => {
    const token = vi.fn(() => 'a');
    const strategy = bearerToken({ token });
    const patch = strategy.authorize(request, context) as AuthPatch<TokenSet>;
    expect(await strategy.recover?.(response(401, challenge), { request, receipt: patch.receipt }, context)).toBe(again);
  });
});

describe('a token source', () => {
  /** A class, so that `this` matters. */
  class Source implements TokenSource {
    readonly held: TokenSet = { accessToken: 'held', tokenType: 'Bearer' };
    readonly asked: unknown[] = [];
    getToken(): TokenSet {
      return this.held;
    }
    rejected(receipt: unknown): boolean {
      this.asked.push(receipt);
      return true;
    }
    async invalidate(): Promise<void> {
      this.asked.push('invalidated');
    }
  }

  it('yields the token, and is told what was rejected', async () => {
    const source = new Source();
    const strategy = bearerToken({ token: source });
    const patch = strategy.authorize(request, context) as AuthPatch<TokenSet>;
    expect(authorization(patch)).toBe('Bearer held');
    expect(await strategy.recover?.(response(401), { request, receipt: patch.receipt }, context)).toBe(true);
    expect(source.asked).toEqual([source.held]);
  });

  it('is told when a server accepts its token, if it wants to know', () => {
    const accepted = vi.fn();
    const strategy = bearerToken({ token: Object.assign(new Source(), { accepted }) });
    strategy.observe?.(response(200), { request, receipt: undefined });
    expect(accepted).toHaveBeenCalledOnce();
  });
});

describe('any of them', () => {
  it.each(['Token', 'JWT', 'DPoP'])('may go after another word: %s', (scheme) => {
    expect(authorization(bearerToken({ token: 'a', scheme }).authorize(request, context))).toBe(`${scheme} a`);
  });

  it('is a frozen strategy that says that only Authorization is secret', () => {
    for (const token of [
      'a',
      () => 'a',
      { getToken: () => ({ accessToken: 'a', tokenType: 'Bearer' }), rejected: () => true, invalidate: async () => {} },
    ]) {
      const strategy = bearerToken({ token });
      expect(Object.isFrozen(strategy)).toBe(true);
      expect(strategy).toMatchObject({ name: 'bearerToken', specVersion: 1, sensitive: { headers: ['authorization'] } });
    }
  });
});

const CANARY = 'canary-token+/~';
const encoded = [
  CANARY,
  encodeURIComponent(CANARY),
  Buffer.from(CANARY).toString('hex'),
  ...[0, 1, 2].map((offset) =>
    Buffer.from('x'.repeat(offset) + CANARY)
      .toString('base64')
      .slice(4, 16),
  ),
];

async function silentFailure(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    const shown = [
      (error as Error).stack,
      inspect(error, { showHidden: true, depth: Infinity }),
      JSON.stringify(error),
      String(error),
    ].join('\n');
    for (const text of encoded) expect(shown).not.toContain(text);
    return error;
  }
  throw new Error('It did not fail.');
}

describe('what is refused, without showing the token', () => {
  it.each<[string, unknown, string?]>([
    ['a trailing newline', { token: `${CANARY}\n` }, 'token'],
    ['NUL', { token: `${CANARY}\0` }, 'token'],
    ['an empty token', { token: '' }, 'token'],
    ['no token', {}, 'token'],
    ['null', { token: null }, 'token'],
    ['an object that is no token source', { token: { accessToken: CANARY } }, 'token'],
    ['a scheme of two words', { token: CANARY, scheme: 'Api Key' }, 'scheme'],
    ['a scheme with its space', { token: CANARY, scheme: 'Bearer ' }, 'scheme'],
    ['a scheme with a line break', { token: CANARY, scheme: 'Bearer\n' }, 'scheme'],
    ['a character that no header may hold', { token: `${CANARY}日` }, 'token'],
    ['a trailing blank', { token: `${CANARY} ` }, 'token'],
    ['a token with its scheme', { token: `Bearer ${CANARY}` }, 'token'],
    ['a token with its scheme in another case', { token: `bEARER ${CANARY}` }, 'token'],
    ['a token with another scheme that is its own', { token: `token ${CANARY}`, scheme: 'Token' }, 'token'],
    ['a promise', { token: Promise.resolve(CANARY) }, 'token'],
    ['no options', undefined, 'options'],
    ['the token alone', CANARY, 'options'],
    ['a misspelt option', { token: CANARY, schema: 'Token' }, 'schema'],
  ])('at construction: %s', async (_name, options, option) => {
    const error = await silentFailure(() => bearerToken(options as BearerTokenOptions));
    expect(error).toMatchObject({ name: 'ConfigurationError', strategy: 'bearerToken', ...(option !== undefined && { option }) });
  });

  it.each<[string, () => unknown]>([
    ['a newline', () => `${CANARY}\n`],
    ['a newline, late', async () => `${CANARY}\n`],
    ['nothing', () => ''],
    ['another type, late', async () => ({ accessToken: CANARY })],
    ['a token with its scheme', () => `Bearer ${CANARY}`],
    ['a token with its scheme, late', async () => `bearer ${CANARY}`],
    ['a typographic quote', () => `\u201c${CANARY}`],
  ])('when a function yields %s', async (_name, token) => {
    const error = await silentFailure(() => bearerToken({ token: token as () => string }).authorize(request, context));
    expect(error).toMatchObject({ name: 'ConfigurationError', option: 'token', strategy: 'bearerToken' });
  });

  it.each<[string, unknown, string]>([
    ['a scheme', `Bearer ${CANARY}`, 'bearerToken: leave out `Bearer` in `token`, it is added.'],
    ['a promise', Promise.resolve(CANARY), 'bearerToken: `token` is a promise: pass a function that returns it, or await it.'],
    ['an object', { accessToken: CANARY }, 'bearerToken: `token` is no token source.'],
  ])('and says what to do about %s', (_name, token, message) => {
    expect(() => bearerToken({ token: token as string })).toThrow(message);
  });

  it.each(['Bearer', 'BearerOfNews', 'Token x'])('but not %j, which only looks like it', (token) => {
    expect(authorization(bearerToken({ token }).authorize(request, context))).toBe(`Bearer ${token}`);
  });
});

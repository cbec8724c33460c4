// RFC 6750 §2.1 and §3.1; RFC 9110 §11.1; RFC 9470 §3.
import { describe, expect, it, vi } from 'vitest';
import type { AuthContext, AuthRequest, AuthResponse } from './auth-strategy.ts';
import { type FromTokenSourceOptions, fromTokenSource } from './from-token-source.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenSource } from './token-source.ts';

const request: AuthRequest = { method: 'GET', url: 'https://api.example.com/', headers: new Headers(), replayable: true, attempt: 1 };
const context: AuthContext = { now: Date.now, emit: () => {}, signal: new AbortController().signal };
const token = (accessToken: string): TokenSet => ({ accessToken, tokenType: 'Bearer' });

function response(status: number, challenge?: string): AuthResponse {
  const headers = new Headers(challenge === undefined ? {} : { 'WWW-Authenticate': challenge });
  return { status, url: request.url, headers, text: async () => '', json: async () => null };
}

function source() {
  const held = token('one');
  return {
    getToken: vi.fn<TokenSource['getToken']>(() => held),
    rejected: vi.fn<TokenSource['rejected']>(() => true),
    accepted: vi.fn<NonNullable<TokenSource['accepted']>>(),
    invalidate: vi.fn<TokenSource['invalidate']>(async () => {}),
  };
}

function strategy(of: TokenSource, options: Partial<FromTokenSourceOptions> = {}) {
  return fromTokenSource(of, { name: 'test', ...options });
}

describe('authorize', () => {
  it('sends the token in the Authorization header, synchronously when the source is', () => {
    expect(strategy(source()).authorize(request, context)).toEqual({ headers: { Authorization: 'Bearer one' }, receipt: token('one') });
  });

  it('waits for a source that answers late', async () => {
    const late = source();
    late.getToken.mockResolvedValue(token('late'));
    const patch = strategy(late).authorize(request, context);
    expect(patch).toBeInstanceOf(Promise);
    expect((await patch).headers).toEqual({ Authorization: 'Bearer late' });
  });

  it('makes one patch for each token, not for each request', () => {
    const tokens = source();
    const made = strategy(tokens);
    const first = made.authorize(request, context);
    expect(made.authorize(request, context)).toBe(first);
    tokens.getToken.mockReturnValue(token('two'));
    const second = made.authorize(request, context);
    expect(second).toMatchObject({ headers: { Authorization: 'Bearer two' } });
    expect(made.authorize(request, context)).not.toBe(first);
    expect(first).toMatchObject({ headers: { Authorization: 'Bearer one' }, receipt: token('one') });
  });

  it('asks the source each time, as the caller: with its signal and its listener', () => {
    const tokens = source();
    const made = strategy(tokens);
    made.authorize(request, context);
    made.authorize(request, context);
    expect(tokens.getToken).toHaveBeenCalledTimes(2);
    expect(tokens.getToken).toHaveBeenLastCalledWith(expect.objectContaining({ signal: context.signal, emit: context.emit }));
  });

  it('fails as the source fails', async () => {
    const broken = source();
    const down = new Error('down');
    broken.getToken.mockReturnValue(Promise.reject(down));
    await expect(strategy(broken).authorize(request, context)).rejects.toBe(down);
  });

  it.each(['Token', 'DPoP', 'x-custom!'])('sends another word for `scheme`: %s', (scheme) => {
    expect(strategy(source(), { scheme }).authorize(request, context)).toMatchObject({ headers: { Authorization: `${scheme} one` } });
  });

  it.each(['', 'Bearer ', 'two words', 'a:b', 'é', 'Bearer\n'])('refuses the scheme %j', (scheme) => {
    expect(() => strategy(source(), { scheme })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'scheme', strategy: 'test' }),
    );
  });
});

describe('what is refused', () => {
  const refused = (option: string, message: unknown = expect.any(String)) =>
    expect.objectContaining({ name: 'ConfigurationError', option, message });

  it.each<[string, unknown, string]>([
    ['no options', undefined, 'options'],
    ['null', null, 'options'],
    ['a name alone', 'partner', 'options'],
    ['no name', {}, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name that is no string', { name: 7 }, 'name'],
  ])('%s', (_name, options, option) => {
    expect(() => fromTokenSource(source(), options as never)).toThrow(refused(option));
  });

  it('a misspelt option', () => {
    expect(() => fromTokenSource(source(), { name: 'a', schema: 'Token' } as never)).toThrow(
      refused('schema', expect.stringContaining('Did you mean `scheme`?')),
    );
  });

  it.each([undefined, null, () => 'a', {}])('%s for a source', (value) => {
    expect(() => strategy(value as never)).toThrow(refused('source'));
  });
});

describe('recover', () => {
  const sent = { request, receipt: token('one') };

  it.each<[string, string | undefined, string?]>([
    ['no challenge', undefined],
    ['an empty one', ''],
    ['one of its own scheme', 'Bearer'],
    ['an expired token', 'Bearer realm="api", error="invalid_token"'],
    ['its scheme in another case', 'bEARER error="invalid_token"'],
    ['its scheme among others', 'Negotiate, Basic realm="x", Bearer error="invalid_token"'],
    ['an error that it does not know', 'Bearer error="temporarily_odd"'],
    ['its own scheme, which is not Bearer', 'Token realm="api"', 'Token'],
    ['Bearer, whatever word it sends', 'Bearer error="invalid_token"', 'Token'],
    ['one of two that a new token may satisfy', 'Bearer error="insufficient_scope", Bearer error="invalid_token"'],
  ])('refreshes after a 401 with %s', async (_name, challenge, scheme = 'Bearer') => {
    const tokens = source();
    expect(await strategy(tokens, { scheme }).recover?.(response(401, challenge), sent, context)).toBe(true);
    expect(tokens.rejected).toHaveBeenCalledExactlyOnceWith(sent.receipt, expect.objectContaining({ signal: context.signal }));
  });

  it.each<[string, string, string?]>([
    ['a challenge for another scheme', 'Basic realm="x"'],
    ['several for others', 'Negotiate, Digest qop="auth, auth-int", nonce="x"'],
    ['insufficient_scope (RFC 6750 §3.1)', 'Bearer error="insufficient_scope", scope="admin"'],
    ['insufficient_user_authentication (RFC 9470 §3)', 'Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="5"'],
    ['insufficient_scope for its own scheme', 'Token error="insufficient_scope"', 'Token'],
  ])('does not refresh after a 401 with %s', async (_name, challenge, scheme = 'Bearer') => {
    const tokens = source();
    expect(await strategy(tokens, { scheme }).recover?.(response(401, challenge), sent, context)).toBe(false);
    expect(tokens.rejected).not.toHaveBeenCalled();
  });

  it.each([401, 403])('refreshes after a %i that the user’s `isRejected` is there for, whatever its challenge says', async (status) => {
    const tokens = source();
    const made = strategy(tokens, { isRejected: () => true });
    expect(await made.recover?.(response(status, 'Basic realm="x"'), sent, context)).toBe(true);
    expect(tokens.rejected).toHaveBeenCalledOnce();
  });

  it('sends again only if the source says that it is worth it', async () => {
    const tokens = source();
    tokens.rejected.mockReturnValue(false);
    expect(await strategy(tokens).recover?.(response(401), sent, context)).toBe(false);
  });
});

describe('the rest', () => {
  it('asks the user’s `isRejected` with what was sent; without one there is none', async () => {
    const isRejected = vi.fn(() => true);
    const made = strategy(source(), { isRejected });
    const sent = { request, receipt: token('one') };
    expect(await made.isRejected?.(response(403), sent)).toBe(true);
    expect(isRejected).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ status: 403 }), sent);
    expect(strategy(source()).isRejected).toBeUndefined();
  });

  it.each([
    [200, 1],
    [204, 1],
    [304, 1],
    [400, 0],
    [401, 0],
    [403, 0],
    [500, 0],
  ])('takes a %i for acceptance of the token %i times', (status, times) => {
    const tokens = source();
    strategy(tokens).observe?.(response(status), { request, receipt: token('one') });
    expect(tokens.accepted).toHaveBeenCalledTimes(times);
  });

  it('observes nothing for a source that does not want to know', () => {
    const { accepted: _, ...plain } = source();
    expect(strategy(plain).observe).toBeUndefined();
  });

  it('is frozen, named as asked, and says that only Authorization is secret', () => {
    const made = strategy(source(), { name: 'partner' });
    expect(Object.isFrozen(made)).toBe(true);
    expect(made).toMatchObject({ name: 'partner', specVersion: 1, sensitive: { headers: ['authorization'] } });
    expect(made.readsBody ?? 'none').toBe('none');
  });
});

import { describe, expect, it, vi } from 'vitest';
import type { AuthContext, AuthPatch, AuthRequest, AuthResponse, AuthStrategy } from './auth-strategy.ts';
import { byOrigin } from './by-origin.ts';
import { createOriginPolicy } from './origin-policy.ts';

const A = 'https://api.a.example';
const B = 'https://api.b.example';
const context: AuthContext = { now: Date.now, emit: () => {} };

function request(url: string): AuthRequest {
  return { method: 'GET', url, headers: new Headers(), replayable: true, attempt: 1 };
}

function response(status: number): AuthResponse {
  return { status, url: A, headers: new Headers(), text: async () => '', json: async () => null };
}

/** A strategy that remembers what it was asked. */
function child(name: string, patch: AuthPatch = { headers: { Authorization: name }, receipt: `${name}'s receipt` }) {
  return {
    name,
    specVersion: 1,
    authorize: vi.fn<AuthStrategy['authorize']>(() => patch),
    isRejected: vi.fn<NonNullable<AuthStrategy['isRejected']>>(() => true),
    recover: vi.fn<NonNullable<AuthStrategy['recover']>>(() => true),
    observe: vi.fn<NonNullable<AuthStrategy['observe']>>(),
  } satisfies AuthStrategy;
}

/** What was sent to `url`, as the loop hands it back. */
function sent(strategy: AuthStrategy, url: string) {
  const asked = request(url);
  const patch = strategy.authorize(asked, context) as AuthPatch;
  return { patch, attempt: { request: asked, receipt: patch.receipt } };
}

describe('byOrigin', () => {
  it('lets the strategy of the origin authorize, synchronously if it does', () => {
    const strategy = byOrigin({ [A]: child('a'), [B]: child('b') });
    expect(sent(strategy, `${A}/x`).patch.headers).toEqual({ Authorization: 'a' });
    expect(sent(strategy, 'HTTPS://API.B.EXAMPLE:443/x').patch.headers).toEqual({ Authorization: 'b' });
  });

  it('waits for one that does not', async () => {
    const late: AuthStrategy = { name: 'late', specVersion: 1, authorize: async () => ({ headers: { Authorization: 'late' } }) };
    const patch = byOrigin({ [A]: late }).authorize(request(A), context);
    expect(patch).toBeInstanceOf(Promise);
    expect((await patch).headers).toEqual({ Authorization: 'late' });
  });

  it.each(['https://api.c.example/', `${A}.evil.test/`, 'http://api.a.example/', 'https://api.a.example:8443/'])(
    'adds nothing for %s',
    (url) => {
      const a = child('a');
      expect(byOrigin({ [A]: a }).authorize(request(url), context)).toEqual({});
      expect(a.authorize).not.toHaveBeenCalled();
    },
  );

  it('gives each its own receipt back, and the other nothing', async () => {
    const [a, b] = [child('a'), child('b')];
    const strategy = byOrigin({ [A]: a, [B]: b });
    const { attempt } = sent(strategy, `${A}/x`);
    const answer = response(403);
    const own = { request: attempt.request, receipt: "a's receipt" };
    expect(await strategy.isRejected?.(answer, attempt)).toBe(true);
    expect(await strategy.recover?.(answer, attempt, context)).toBe(true);
    strategy.observe?.(answer, attempt);
    expect(a.isRejected).toHaveBeenCalledExactlyOnceWith(answer, own);
    expect(a.recover).toHaveBeenCalledExactlyOnceWith(answer, own, context);
    expect(a.observe).toHaveBeenCalledExactlyOnceWith(answer, own);
    for (const method of [b.isRejected, b.recover, b.observe]) expect(method).not.toHaveBeenCalled();
  });

  it('neither recovers nor rejects for a strategy that cannot', async () => {
    const strategy = byOrigin({ [A]: { name: 'plain', specVersion: 1, authorize: () => ({ headers: { 'X-A': 'a' } }) } });
    const { attempt } = sent(strategy, A);
    expect(await strategy.isRejected?.(response(403), attempt)).toBe(false);
    expect(await strategy.recover?.(response(401), attempt, context)).toBe(false);
    expect(() => strategy.observe?.(response(200), attempt)).not.toThrow();
  });

  it('has its keys act as `origins`', () => {
    const policy = createOriginPolicy(byOrigin({ [A]: child('a'), 'http://localhost:3000': child('b') }), {});
    expect([`${A}/x`, 'http://localhost:3000/', 'https://api.c.example/'].map((url) => policy.refusal(url))).toEqual([
      undefined,
      undefined,
      'origin-not-allowed',
    ]);
    expect(policy.isNamed(new URL(A))).toBe(true);
  });

  it.each([`${A}/v1`, 'api.a.example', '', 'ftp://a.example', 'https://user:hunter22@a.example'])('refuses the key %j', (key) => {
    expect(() => byOrigin({ [key]: child('a') })).toThrow(expect.objectContaining({ name: 'ConfigurationError', option: 'byOrigin' }));
    expect(() => byOrigin({ [key]: child('a') })).toThrow(/^(?!.*hunter22)/s);
  });

  it('refuses wildcards', () => {
    expect(() => byOrigin({ 'https://*.a.example': child('a') })).toThrow(/Wildcards are not supported/);
  });

  it('refuses two keys for one origin', () => {
    const strategies = { 'https://a.example': child('a'), 'https://A.example:443': child('b') };
    expect(() => byOrigin(strategies)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'byOrigin' }));
  });

  it('needs at least one origin', () => {
    expect(() => byOrigin({})).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
  });

  it('reads as much of a body as the most curious of them', () => {
    const reading = (readsBody: 'none' | 'form' | 'bytes'): AuthStrategy => ({ ...child('x'), readsBody });
    expect(byOrigin({ [A]: child('a'), [B]: child('b') }).readsBody).toBe('none');
    expect(byOrigin({ [A]: reading('form'), [B]: reading('none') }).readsBody).toBe('form');
    expect(byOrigin({ [A]: reading('form'), [B]: reading('bytes') }).readsBody).toBe('bytes');
  });

  it('calls secret what any of them does, and everything where one does not say', () => {
    const [header, query] = [
      { ...child('a'), sensitive: { headers: ['x-a'] } },
      { ...child('b'), sensitive: { query: ['b'], cookies: ['c'] } },
    ];
    expect(byOrigin({ [A]: header, [B]: query }).sensitive).toEqual({ headers: ['x-a'], query: ['b'], cookies: ['c'] });
    expect(byOrigin({ [A]: header, [B]: child('b') }).sensitive).toBeUndefined();
  });

  it('is frozen', () => {
    expect(Object.isFrozen(byOrigin({ [A]: child('a') }))).toBe(true);
  });
});

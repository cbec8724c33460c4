import { describe, expect, it } from 'vitest';
import type { AuthEvent } from './auth-event.ts';
import type { AuthContext, AuthRequest } from './auth-strategy.ts';
import { staticHeaders } from './static-headers.ts';

function request(headers: Record<string, string> = {}): AuthRequest {
  return { method: 'GET', url: 'https://api.example.com/', headers: new Headers(headers), replayable: true, attempt: 1 };
}

function context(): AuthContext & { events: AuthEvent[] } {
  const events: AuthEvent[] = [];
  return { now: Date.now, emit: (event) => events.push(event), events };
}

describe('staticHeaders', () => {
  const both = { 'User-Agent': 'my-app/1.0', 'X-Tenant': 'acme' };

  it('sends the same headers each time, in the same patch', () => {
    const strategy = staticHeaders(both);
    const first = strategy.authorize(request(), context());
    expect(first).toEqual({ headers: both });
    expect(strategy.authorize(request(), context())).toBe(first);
  });

  it('leaves alone what the caller set, in any case, says so, and still sends the others', () => {
    const log = context();
    expect(staticHeaders(both).authorize(request({ 'user-agent': 'mine' }), log)).toEqual({ headers: { 'X-Tenant': 'acme' } });
    expect(log.events).toEqual([{ type: 'credential-conflict', strategy: 'staticHeaders', place: 'header', name: 'User-Agent' }]);
  });

  it('keeps what it was given: later changes to the caller’s object have no effect', () => {
    const mine: Record<string, string> = { ...both };
    const strategy = staticHeaders(mine);
    mine['X-Late'] = 'late\n';
    delete mine['X-Tenant'];
    delete mine['User-Agent'];
    expect(strategy.authorize(request(), context())).toEqual({ headers: both });
    expect(strategy.authorize(request({ 'User-Agent': 'mine' }), context())).toEqual({ headers: { 'X-Tenant': 'acme' } });
  });

  it.each([
    [{ 'User Agent': 'x' }],
    [{ '': 'x' }],
    [{ 'X-Tenant': 'hunter22\n' }],
    [{ 'X-Tenant': '日本' }],
    [{ 'X-Tenant': undefined as never }],
  ])('refuses %j at construction', (headers) => {
    expect(() => staticHeaders(headers)).toThrow(expect.objectContaining({ name: 'ConfigurationError', strategy: 'staticHeaders' }));
    expect(() => staticHeaders(headers)).toThrow(/^(?!.*hunter22)/s);
  });

  it('is frozen, and has nothing to recover', () => {
    const strategy = staticHeaders(both);
    expect(Object.isFrozen(strategy)).toBe(true);
    expect(strategy.recover).toBeUndefined();
  });
});

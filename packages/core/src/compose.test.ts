import { describe, expect, it, vi } from 'vitest';
import type { AuthEvent } from './auth-event.ts';
import type { AuthContext, AuthPatch, AuthRequest, AuthResponse, AuthStrategy } from './auth-strategy.ts';
import { byOrigin } from './by-origin.ts';
import { compose } from './compose.ts';
import { createOriginPolicy } from './origin-policy.ts';
import { staticHeaders } from './static-headers.ts';

const URL_ = 'https://api.example.com/x?q=1';

function request(part: Partial<Omit<AuthRequest, 'headers'>> & { headers?: Record<string, string> } = {}): AuthRequest {
  const { headers, ...rest } = part;
  return { method: 'POST', url: URL_, replayable: true, attempt: 1, ...rest, headers: new Headers(headers) };
}

function context(): AuthContext & { events: AuthEvent[] } {
  const events: AuthEvent[] = [];
  return { now: Date.now, emit: (event) => events.push(event), events };
}

function response(status: number): AuthResponse {
  return { status, url: URL_, headers: new Headers(), text: async () => '', json: async () => null };
}

function child(name: string, patch: AuthPatch, more: Partial<AuthStrategy> = {}): AuthStrategy {
  return { name, specVersion: 1, authorize: () => patch, ...more };
}

/** Authorizes and returns the request, the patch, and what the loop would hand back with a response. */
function sent(strategy: AuthStrategy, asked = request(), log = context()) {
  const patch = strategy.authorize(asked, log) as AuthPatch;
  return { patch, attempt: { request: asked, receipt: patch.receipt }, log };
}

const headers = (...names: string[]): AuthPatch => ({ headers: Object.fromEntries(names.map((name) => [name, `${name}!`])) });

describe('what compose sends', () => {
  it('is what all of them add, left to right', () => {
    const strategy = compose(
      child('a', { headers: { 'X-A': '1' }, query: [['a', '1']], cookies: { a: '1' }, form: [['a', '1']] }),
      child('b', { headers: { 'X-B': '2' }, query: [['b', '2']], cookies: { b: '2' }, form: [['b', '2']] }),
    );
    expect(sent(strategy).patch).toMatchObject({
      headers: { 'X-A': '1', 'X-B': '2' },
      query: [
        ['a', '1'],
        ['b', '2'],
      ],
      cookies: { a: '1', b: '2' },
      form: [
        ['a', '1'],
        ['b', '2'],
      ],
    });
    expect(strategy.name).toBe('a+b');
  });

  it('is shown to each, as patched so far', () => {
    const seen: unknown[] = [];
    const look = (asked: AuthRequest): AuthPatch => {
      seen.push({
        url: asked.url,
        body: asked.body,
        headers: ['x-own', 'x-a', 'cookie'].map((name) => asked.headers.get(name)),
        rest: [asked.method, asked.replayable, asked.attempt],
      });
      return {};
    };
    const asked = request({ headers: { 'X-Own': 'mine', Cookie: 'c=0' }, body: 'q=0', attempt: 2, replayable: false });
    const first = child('a', { headers: { 'X-A': '1' }, query: [['k', 'a b']], cookies: { d: '1' }, form: [['f', '1']] });
    sent(compose(child('look', {}, { authorize: look }), first, child('look', {}, { authorize: look })), asked);
    const rest = ['POST', false, 2];
    expect(seen).toEqual([
      { url: URL_, body: 'q=0', headers: ['mine', null, 'c=0'], rest },
      { url: `${URL_}&k=a%20b`, body: 'q=0&f=1', headers: ['mine', '1', 'c=0; d=1'], rest },
    ]);
  });

  it('is there at once when all of them answer at once, and a promise as soon as one does not', async () => {
    const late = (name: string) => child(name, {}, { authorize: async () => headers(name) });
    expect(compose(child('a', headers('X-A')), child('b', headers('X-B'))).authorize(request(), context())).toMatchObject({
      headers: { 'X-A': 'X-A!', 'X-B': 'X-B!' },
    });
    const mixed = compose(child('a', headers('X-A')), late('X-Late'), child('b', headers('X-B')), late('X-Late2')).authorize(
      request(),
      context(),
    );
    expect(mixed).toBeInstanceOf(Promise);
    expect((await mixed).headers).toEqual({ 'X-A': 'X-A!', 'X-Late': 'X-Late!', 'X-B': 'X-B!', 'X-Late2': 'X-Late2!' });
  });

  it.each<[string, AuthPatch, AuthPatch, string, string]>([
    ['header, in another case', { headers: { 'X-Key': '1' } }, { headers: { 'x-key': '2' } }, 'header', 'x-key'],
    ['query parameter', { query: [['key', '1']] }, { query: [['key', '2']] }, 'query', 'key'],
    ['cookie', { cookies: { sid: '1' } }, { cookies: { sid: '2' } }, 'cookie', 'sid'],
    ['form field', { form: [['f', '1']] }, { form: [['f', '2']] }, 'form', 'f'],
  ])('is a ConfigurationError when two set the same %s', (_name, first, second, place, name) => {
    const strategy = compose(child('a', first), child('b', headers('X-B')), child('c', second));
    expect(() => strategy.authorize(request(), context())).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        option: 'strategies',
        message: expect.stringMatching(`'c'.*${place} '${name}'`),
      }),
    );
  });

  it('is a ConfigurationError too when the second of them answers late', async () => {
    const strategy = compose(child('a', headers('X-Key')), child('b', {}, { authorize: async () => headers('X-Key') }));
    await expect(strategy.authorize(request(), context())).rejects.toMatchObject({ name: 'ConfigurationError' });
  });

  it('is checked child by child, without showing a value', () => {
    const strategy = compose(child('a', headers('X-A')), child('b', { headers: { 'X-B': 'hunter22\n' } }));
    expect(() => sent(strategy)).toThrow(expect.objectContaining({ name: 'ConfigurationError', strategy: 'b' }));
    expect(() => sent(strategy)).toThrow(/^(?!.*hunter22)/s);
  });

  it('leaves out only the child whose credential the caller has set, whole, and says so', () => {
    const strategy = compose(child('a', headers('X-A')), child('b', headers('Authorization', 'X-B')), child('c', headers('X-C')));
    const { patch, log } = sent(strategy, request({ headers: { authorization: 'mine' } }));
    expect(patch.headers).toEqual({ 'X-A': 'X-A!', 'X-C': 'X-C!' });
    expect(log.events).toEqual([{ type: 'credential-conflict', strategy: 'b', place: 'header', name: 'Authorization' }]);
  });

  it('is a ConfigurationError as well when the second is staticHeaders, or nested', () => {
    const first = child('a', headers('X-A'));
    for (const second of [staticHeaders({ 'x-a': '2' }), compose(child('b', headers('X-A')))]) {
      expect(() => sent(compose(first, second))).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR' }));
    }
  });

  it('names no place that nobody puts anything in', () => {
    expect(Object.keys(sent(compose(child('a', headers('X-A')), child('b', headers('X-B')))).patch).sort()).toEqual(['headers', 'receipt']);
  });

  it('is refused when one of them is no strategy', () => {
    expect(() => compose({} as never)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'strategies' }));
    expect(() => compose([child('a', {}), child('b', {})] as never)).toThrow(/use compose\(a, b\)/);
  });

  it('is refused without any', () => {
    expect(() => compose()).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'strategies', message: 'compose: name at least one strategy.' }),
    );
  });

  it('leaves the caller’s request as it was', () => {
    const asked = Object.freeze(request({ headers: { 'X-Own': 'mine' } }));
    sent(compose(child('a', headers('X-A')), child('b', headers('X-B'))), asked);
    expect([...(asked.headers as Headers)]).toEqual([['x-own', 'mine']]);
    expect(asked.url).toBe(URL_);
  });
});

describe('what compose does with a response', () => {
  /** Children that remember what they were told. */
  function trio() {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({
      name,
      specVersion: 1 as const,
      authorize: vi.fn<AuthStrategy['authorize']>(() => ({ ...headers(`X-${name}`), receipt: `${name}'s` })),
      isRejected: vi.fn<NonNullable<AuthStrategy['isRejected']>>(() => false),
      recover: vi.fn<NonNullable<AuthStrategy['recover']>>(() => false),
      observe: vi.fn<NonNullable<AuthStrategy['observe']>>(),
    }));
    if (!a || !b || !c) throw new Error('unreachable');
    return { a, b, c, strategy: compose(a, b, c) };
  }

  it('gives each its own receipt, and the request that it saw', async () => {
    const { a, b, c, strategy } = trio();
    const { attempt, log } = sent(strategy);
    await strategy.recover?.(response(401), attempt, log);
    strategy.observe?.(response(401), attempt);
    for (const one of [a, b, c]) {
      const own = { receipt: `${one.name}'s`, request: one.authorize.mock.calls[0]?.[0] };
      expect(one.recover).toHaveBeenCalledExactlyOnceWith(expect.anything(), own, log);
      expect(one.observe).toHaveBeenCalledExactlyOnceWith(expect.anything(), own);
    }
  });

  it('sends again when one of them says so', async () => {
    const { b, strategy } = trio();
    const { attempt, log } = sent(strategy);
    expect(await strategy.recover?.(response(401), attempt, log)).toBe(false);
    b.recover.mockResolvedValue(true);
    expect(await strategy.recover?.(response(401), attempt, log)).toBe(true);
  });

  it('puts a 401 to each that can recover', async () => {
    const { a, b, c, strategy } = trio();
    const { attempt, log } = sent(strategy);
    await strategy.recover?.(response(401), attempt, log);
    for (const one of [a, b, c]) expect(one.recover).toHaveBeenCalledOnce();
  });

  it('puts any other rejection only to those who call it one', async () => {
    const { a, b, c, strategy } = trio();
    const { attempt, log } = sent(strategy);
    expect(await strategy.isRejected?.(response(403), attempt)).toBe(false);
    b.isRejected.mockResolvedValue(true);
    b.recover.mockResolvedValue(true);
    expect(await strategy.isRejected?.(response(403), attempt)).toBe(true);
    expect(await strategy.recover?.(response(403), attempt, log)).toBe(true);
    expect(b.recover).toHaveBeenCalledOnce();
    for (const one of [a, c]) expect(one.recover).not.toHaveBeenCalled();
  });

  it('asks the others when one check throws, and throws only when nobody says yes', async () => {
    const { a, b, strategy } = trio();
    const { attempt } = sent(strategy);
    const broken = new Error('broken');
    a.isRejected.mockImplementation(() => {
      throw broken;
    });
    await expect(strategy.isRejected?.(response(403), attempt)).rejects.toBe(broken);
    b.isRejected.mockReturnValue(true);
    expect(await strategy.isRejected?.(response(403), attempt)).toBe(true);
  });

  it('asks nothing of a child that the caller’s own credential left out', async () => {
    const { a, b, strategy } = trio();
    const { attempt, log } = sent(strategy, request({ headers: { 'x-b': 'mine' } }));
    await strategy.isRejected?.(response(403), attempt);
    await strategy.recover?.(response(401), attempt, log);
    strategy.observe?.(response(401), attempt);
    expect(a.recover).toHaveBeenCalledOnce();
    for (const method of [b.isRejected, b.recover, b.observe]) expect(method).not.toHaveBeenCalled();
  });

  it('asks nothing of a child that added nothing: the request did not carry its credential', async () => {
    const { a, b, strategy } = trio();
    b.authorize.mockReturnValue({ receipt: 'unused' });
    const { attempt, log } = sent(strategy);
    await strategy.isRejected?.(response(403), attempt);
    await strategy.recover?.(response(401), attempt, log);
    strategy.observe?.(response(401), attempt);
    expect(a.recover).toHaveBeenCalledOnce();
    for (const method of [b.isRejected, b.recover, b.observe]) expect(method).not.toHaveBeenCalled();
  });

  it('fails as a recovery fails, and leaves no other rejection unhandled', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const down = new Error('down');
      // No mocks here: those attach a handler to what they return.
      const late = child('a', headers('X-A'), { recover: () => new Promise((_, reject) => setImmediate(reject, down)) });
      const atOnce = child('b', headers('X-B'), {
        recover: () => {
          throw down;
        },
      });
      const strategy = compose(late, atOnce);
      const { attempt, log } = sent(strategy);
      await expect(strategy.recover?.(response(401), attempt, log)).rejects.toBe(down);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });
});

describe('what compose says of itself', () => {
  it('lets byOrigin within it decide where everything goes', () => {
    const strategy = compose(
      staticHeaders({ 'User-Agent': 'my-app/1.0' }),
      byOrigin({ 'https://api.example.com': child('a', headers('X-A')), 'https://b.example': child('b', headers('X-B')) }),
    );
    expect(sent(strategy).patch.headers).toEqual({ 'User-Agent': 'my-app/1.0', 'X-A': 'X-A!' });
    expect(sent(strategy, request({ url: 'https://b.example/' })).patch.headers).toEqual({ 'User-Agent': 'my-app/1.0', 'X-B': 'X-B!' });
    const policy = createOriginPolicy(strategy, {});
    expect(policy.refusal('https://b.example/')).toBeUndefined();
    expect(policy.refusal('https://c.example/')).toBe('origin-not-allowed');
  });

  it('gives byOrigin within it its own receipt back', async () => {
    const recover = vi.fn<NonNullable<AuthStrategy['recover']>>(() => true);
    const inner = child('a', { ...headers('X-A'), receipt: 'mine' }, { recover });
    const strategy = compose(child('b', headers('X-B')), byOrigin({ 'https://api.example.com': inner }));
    const { attempt, log } = sent(strategy);
    expect(await strategy.recover?.(response(401), attempt, log)).toBe(true);
    expect(recover).toHaveBeenCalledExactlyOnceWith(expect.anything(), expect.objectContaining({ receipt: 'mine' }), log);
  });

  it('goes anywhere when none of them is bound to origins', () => {
    expect(createOriginPolicy(compose(child('a', {})), {}).refusal('https://anywhere.example/')).toBeUndefined();
  });

  it('reads as much of a body as the most curious of them', () => {
    expect(compose(child('a', {}), child('b', {}, { readsBody: 'form' })).readsBody).toBe('form');
    expect(compose(child('a', {}, { readsBody: 'bytes' }), child('b', {}, { readsBody: 'form' })).readsBody).toBe('bytes');
  });

  it('calls secret what any of them does, and everything where one does not say', () => {
    const [a, b] = [child('a', {}, { sensitive: { headers: ['x-a'] } }), child('b', {}, { sensitive: { query: ['b'] } })];
    expect(compose(a, b).sensitive).toEqual({ headers: ['x-a'], query: ['b'], cookies: [] });
    expect(compose(a, child('c', {})).sensitive).toBeUndefined();
  });

  it('may be nested', async () => {
    const recover = vi.fn<NonNullable<AuthStrategy['recover']>>(() => true);
    const strategy = compose(
      compose(child('a', headers('X-A')), child('b', { ...headers('X-B'), receipt: 'b' }, { recover })),
      child('c', headers('X-C')),
    );
    const { patch, attempt, log } = sent(strategy);
    expect(Object.keys(patch.headers ?? {})).toEqual(['X-A', 'X-B', 'X-C']);
    expect(await strategy.recover?.(response(401), attempt, log)).toBe(true);
    expect(recover).toHaveBeenCalledExactlyOnceWith(expect.anything(), expect.objectContaining({ receipt: 'b' }), log);
  });
});

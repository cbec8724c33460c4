// DESIGN.md §6: what a request with a valid credential in memory may cost.
import { withAuth } from '@authseam/adapter-fetch';
import { apiKey, basic, bearerToken } from '@authseam/auth-api-key';
import { clientCredentials } from '@authseam/auth-client-credentials';
import { type AuthStrategy, createTokenManager } from '@authseam/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const url = 'https://api.example.com/v1/items?page=2';
const get: RequestInit = { headers: { accept: 'application/json' } };
const post: RequestInit = { method: 'POST', headers: { accept: 'application/json' }, body: '{"name":"example"}' };
const answer = new Response('{}');

const strategies: Record<string, () => Promise<AuthStrategy>> = {
  apiKey: async () => apiKey({ key: 'example' }),
  basic: async () => basic({ username: 'user', password: 'example' }),
  'bearerToken with a string': async () => bearerToken({ token: 'example' }),
  'bearerToken with a function': async () => bearerToken({ token: () => 'example' }),
  'bearerToken with a token manager': async () => {
    const fetchToken = () => ({ accessToken: 'example', tokenType: 'Bearer', expiresAtMs: Date.now() + 3_600_000 });
    const token = createTokenManager({ key: 'hot path', fetchToken });
    await token.getToken();
    return bearerToken({ token });
  },
  clientCredentials: async () => {
    const strategy = clientCredentials({
      tokenEndpoint: 'https://login.example.com/token',
      clientId: 'reports',
      clientSecret: 'example',
      fetch: async () => Response.json({ access_token: 'example', token_type: 'Bearer', expires_in: 3_600 }),
    });
    await strategy.getToken();
    return strategy;
  },
};

/** A fetch that answers at once, and counts how often its promise is waited for. */
function countingTransport() {
  const seen = { sends: [] as (readonly [unknown, RequestInit | undefined])[], continuations: 0 };
  const transport = (input: unknown, init?: RequestInit): Promise<Response> => {
    seen.sends.push([input, init]);
    const promise = Promise.resolve(answer);
    const { then } = promise;
    return Object.defineProperty(promise, 'then', {
      value(...handlers: Parameters<typeof then>) {
        seen.continuations += 1;
        return then.apply(promise, handlers);
      },
    });
  };
  return { seen, transport };
}

/** Counts what is constructed, parsed and cloned from now on; `vi.unstubAllGlobals` and `vi.restoreAllMocks` end it. */
function countCosts(): Record<string, number> {
  const counts: Record<string, number> = {};
  const count = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  for (const name of ['Request', 'Headers', 'URL', 'URLSearchParams', 'Response', 'AbortController', 'TextEncoder'] as const) {
    vi.stubGlobal(
      name,
      new Proxy(globalThis[name], {
        construct(target, args, newTarget) {
          count(`new ${name}`);
          return Reflect.construct(target, args, newTarget);
        },
        get(target, property) {
          const value: unknown = Reflect.get(target, property);
          if (typeof value === 'function' && typeof property === 'string') count(`${name}.${property}`); // URL.canParse; `instanceof` is no cost
          return value;
        },
      }),
    );
  }
  const clone = globalThis.structuredClone;
  vi.stubGlobal('structuredClone', (value: unknown) => {
    count('structuredClone');
    return clone(value);
  });
  for (const { prototype } of [Request, Response]) vi.spyOn(prototype, 'clone').mockImplementation(() => counted(count));
  return counts;
}

function counted(count: (name: string) => void): never {
  count('clone');
  throw new Error('nothing is cloned on the hot path');
}

/** After how many turns of the microtask queue `promise` is settled. */
async function turnsOf(promise: Promise<unknown>): Promise<number> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  let turns = 0;
  for (; !isSettled; turns += 1) await undefined;
  return turns;
}

describe.each(Object.entries(strategies))('a request with a valid credential: %s', (_name, create) => {
  let api: (input: string, init: RequestInit) => Promise<Response>;
  let seen: ReturnType<typeof countingTransport>['seen'];

  beforeEach(async () => {
    const counting = countingTransport();
    api = withAuth(counting.transport, await create());
    await api(url, get); // approves the origin
    seen = counting.seen;
    seen.sends = [];
    seen.continuations = 0;
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  it.each([
    ['GET', get],
    ['POST', post],
  ])('constructs, parses and clones nothing: %s', async (_method, init) => {
    const counts = countCosts();
    await api(url, init);
    expect(seen.sends).toHaveLength(1);
    expect(counts).toEqual({});
  });

  it('sends within the same tick, the URL as it came, the headers as a plain object', async () => {
    const pending = api(url, post);
    expect(seen.sends).toHaveLength(1);
    const [[input, init] = []] = seen.sends;
    expect(input).toBe(url);
    expect(init).toMatchObject({ method: 'POST', body: post.body, headers: { accept: 'application/json' } });
    expect(Object.getPrototypeOf(init?.headers)).toBe(Object.prototype);
    expect(Object.keys(post.headers ?? {})).toEqual(['accept']);
    await pending;
  });

  it('waits for the response once, and for nothing else', async () => {
    const turns = await turnsOf(api(url, get));
    expect(seen.continuations).toBe(1);
    expect(turns - (await turnsOf(Promise.resolve(answer)))).toBe(1);
  });
});

it('sees the costs of a request that is not on the hot path: a Request with a body, to an origin of which nothing is known', async () => {
  const { transport } = countingTransport();
  const api = withAuth(transport, apiKey({ key: 'example' }));
  const counts = countCosts();
  await api(new Request(url, { method: 'POST', body: 'x' })).catch(() => {});
  expect(Object.keys(counts)).toEqual(expect.arrayContaining(['new Request', 'new URL', 'clone']));
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

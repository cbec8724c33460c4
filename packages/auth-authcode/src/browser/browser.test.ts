import { isAuthError, type TokenSet } from '@authseam/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuthorizationCode } from '../authorization-code.ts';
import { type CompleteSignInOptions, completeSignIn } from './complete-sign-in.ts';
import type { SignInStorage } from './pending-sign-in.ts';
import { signIn } from './sign-in.ts';

const PAGE = 'https://app.example/reports?year=2026#top';
const CALLBACK = 'https://app.example/callback';
const tokens: TokenSet = { accessToken: 'at', tokenType: 'Bearer' };

function memoryStorage(): SignInStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return {
    items,
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
}

/** A strategy whose states are s1, s2, …; what it is asked is written down. The real one meets a real server in the matrix and in examples/spa. */
function strategy() {
  let states = 0;
  return {
    redirectUri: CALLBACK,
    createAuthorizationUrl: vi.fn(async (_request: unknown) => {
      const state = `s${++states}`;
      const transaction = { state, codeVerifier: `v${states}`, redirectUri: CALLBACK, issuer: 'https://login.example', clientId: 'spa' };
      return { url: `https://login.example/authorize?state=${state}`, transaction };
    }),
    handleCallback: vi.fn<AuthorizationCode['handleCallback']>(async () => tokens),
  };
}

let page: { href: string; assign: ReturnType<typeof vi.fn> };
let storage: ReturnType<typeof memoryStorage>;
let history: { state: unknown; readonly urls: string[]; replaceState(state: unknown, unused: string, url: string): void };

beforeEach(() => {
  page = { href: PAGE, assign: vi.fn() };
  storage = memoryStorage();
  history = {
    state: { ofTheRouter: 1 },
    urls: [],
    replaceState(state, _unused, url) {
      expect(state).toBe(history.state);
      history.urls.push(url);
      page.href = url;
    },
  };
  vi.stubGlobal('location', page);
  vi.stubGlobal('history', history);
  vi.stubGlobal('sessionStorage', storage);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function failure(work: Promise<unknown>): Promise<{ readonly code: unknown; readonly option: unknown }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { code: isAuthError(error) && error.code, option: (error as { option?: unknown } | undefined)?.option };
}

describe('signIn', () => {
  it('keeps the transaction and leaves', async () => {
    const auth = strategy();
    await signIn(auth, { prompt: 'login', scope: 'admin' });
    expect(auth.createAuthorizationUrl).toHaveBeenCalledWith({ prompt: 'login', scope: 'admin' });
    expect(page.assign).toHaveBeenCalledExactlyOnceWith('https://login.example/authorize?state=s1');
    expect(JSON.parse(storage.items.get('authseam:sign-in:s1')!)).toMatchObject({ transaction: { codeVerifier: 'v1' }, returnTo: PAGE });
  });

  it.each([
    ['/inbox?x=1', 'https://app.example/inbox?x=1'],
    ['', 'https://app.example/reports?year=2026'],
    ['https://app.example:443/a', 'https://app.example/a'],
  ])('returns to %j', async (returnTo, expected) => {
    await signIn(strategy(), { returnTo });
    expect(JSON.parse(storage.items.get('authseam:sign-in:s1')!)).toMatchObject({ returnTo: expected });
  });

  it.each([
    'https://evil.example/',
    '//evil.example/',
    '\\\\evil.example\\',
    '/\\evil.example',
    'https://app.example.evil.example/',
    'https://app.example@evil.example/',
    'https://user@app.example/',
    'http://app.example/',
    'https://app.example:8443/',
    'javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,hi',
    'blob:https://app.example/0b6cd3b4',
    'https://',
  ])('never to %j: refused before anything else', async (returnTo) => {
    const auth = strategy();
    expect(await failure(signIn(auth, { returnTo }))).toEqual({ code: 'CONFIGURATION_ERROR', option: 'returnTo' });
    expect([auth.createAuthorizationUrl.mock.calls, page.assign.mock.calls, storage.items.size]).toEqual([[], [], 0]);
  });

  it('does not leave when nothing can be kept', async () => {
    for (const broken of ['full', 'blocked', 'missing'] as const) {
      if (broken === 'missing') vi.stubGlobal('sessionStorage', undefined);
      else if (broken === 'full') {
        storage.setItem = () => {
          throw new DOMException('full', 'QuotaExceededError');
        };
      } else {
        Object.defineProperty(globalThis, 'sessionStorage', {
          configurable: true,
          get() {
            throw new DOMException('denied', 'SecurityError');
          },
        });
      }
      expect(await failure(signIn(strategy()))).toEqual({ code: 'CONFIGURATION_ERROR', option: 'storage' });
    }
    expect(page.assign).not.toHaveBeenCalled();
  });

  it('forgets sign-ins that nobody came back from for an hour, and nothing else', async () => {
    const now = vi.spyOn(Date, 'now');
    const auth = strategy();
    storage.items.set('of the page', '{}');
    storage.items.set('authseam:sign-in:damaged', '{');
    try {
      for (const atMs of [0, 1_000, 3_600_500]) {
        now.mockReturnValue(1e12 + atMs);
        await signIn(auth);
      }
    } finally {
      now.mockRestore();
    }
    expect([...storage.items.keys()]).toEqual(['of the page', 'authseam:sign-in:s2', 'authseam:sign-in:s3']);
  });
});

describe('completeSignIn', () => {
  it.each([
    CALLBACK,
    `${CALLBACK}?state=s1`,
    `${CALLBACK}?coder=1&states=2`,
    `${CALLBACK}#code=1&state=s1`,
    'https://app.example/coupons?code=1',
    'https://app.example/callback/?error=1',
    'https://other.example/callback?code=1',
  ])('is nothing at %s: no storage is touched, the URL stays', async (href) => {
    vi.stubGlobal('sessionStorage', undefined);
    page.href = href;
    expect(await completeSignIn(strategy())).toBeUndefined();
    expect(history.urls).toEqual([]);
  });

  it.each(['?code=1', '?error=access_denied', '?code=1&state='])(
    'at the redirect URI refuses %s, which has no state, and cleans the URL all the same',
    async (query) => {
      const auth = strategy();
      await signIn(auth);
      storage.items.set('authseam:sign-in:', storage.items.get('authseam:sign-in:s1')!);
      page.href = `${CALLBACK}${query}&a=%7E#b`;
      const results = await Promise.all([1, 2].map(() => failure(completeSignIn(auth))));
      expect(results).toMatchObject([{ code: 'CALLBACK_REJECTED' }, { code: 'CALLBACK_REJECTED' }]);
      expect([auth.handleCallback.mock.calls, storage.items.size, page.href]).toEqual([[], 2, `${CALLBACK}?a=%7E#b`]);
    },
  );

  it('looks for the page of a redirect URI with a query of its own', async () => {
    const auth = { ...strategy(), redirectUri: `${CALLBACK}?tenant=1` };
    page.href = `${CALLBACK}?tenant=1&code=1`;
    expect(await failure(completeSignIn(auth))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    expect(page.href).toBe(`${CALLBACK}?tenant=1`);
  });

  it('hands on who signs in only where that was given: `undefined` is nobody, and not everybody', async () => {
    for (const options of [{}, { subject: undefined } as unknown as CompleteSignInOptions]) {
      const auth = strategy();
      await signIn(auth);
      page.href = `${CALLBACK}?code=1&state=s1`;
      await completeSignIn(auth, options);
      expect(auth.handleCallback.mock.lastCall?.[2]).toStrictEqual(options);
    }
  });

  it('hands the whole callback over, with its transaction, and answers where to go', async () => {
    const auth = strategy();
    await signIn(auth);
    page.href = `${CALLBACK}?code=c%2B1&state=s1&iss=https%3A%2F%2Flogin.example`;
    const whole = page.href;
    expect(await completeSignIn(auth, { subject: 'alice' })).toEqual({ tokens, returnTo: PAGE });
    expect(auth.handleCallback).toHaveBeenCalledExactlyOnceWith(whole, expect.objectContaining({ state: 's1', codeVerifier: 'v1' }), {
      subject: 'alice',
    });
    expect([storage.items.size, page.href]).toEqual([0, CALLBACK]);
  });

  it.each([
    ['?code=1&state=s1', ''],
    ['?a=%7E+b&code=1&state=s1&iss=i&session_state=x&c=d%20e#there', '?a=%7E+b&c=d%20e#there'],
    ['?error=access_denied&error_description=no&error_uri=u&state=s1&flag', '?flag'],
    ['?%63ode=1&st%61te=s1', ''],
    ['?code=1&code=2&state=s1&encode=1', '?encode=1'],
    ['??code=2&code=1&&state=s1', '??code=2&'],
  ])('cleans %s before it sends anything', async (query, rest) => {
    const auth = strategy();
    await signIn(auth);
    page.href = CALLBACK + query;
    auth.handleCallback.mockImplementation(async () => {
      expect(history.urls).toEqual([CALLBACK + rest]);
      return tokens;
    });
    expect(await completeSignIn(auth)).toMatchObject({ tokens });
  });

  it('a callback that was not begun here is refused, and its URL cleaned all the same', async () => {
    const auth = strategy();
    await signIn(auth);
    page.href = `${CALLBACK}?code=1&state=of-somebody-else`;
    expect(await failure(completeSignIn(auth))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    expect([auth.handleCallback.mock.calls.length, page.href, storage.items.size]).toEqual([0, CALLBACK, 1]);
  });

  it('a transaction is good once, also when it comes to nothing', async () => {
    const auth = strategy();
    await signIn(auth);
    page.href = `${CALLBACK}?code=1&state=s1`;
    auth.handleCallback.mockRejectedValueOnce(new Error('no network'));
    await expect(completeSignIn(auth)).rejects.toThrow('no network');
    expect([storage.items.size, page.href]).toEqual([0, CALLBACK]);
    page.href = `${CALLBACK}?code=1&state=s1`;
    expect(await failure(completeSignIn(auth))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    expect(auth.handleCallback).toHaveBeenCalledTimes(1);
  });

  it('a transaction that somebody has damaged is none', async () => {
    const auth = strategy();
    for (const text of ['{', 'null', '']) {
      storage.items.set('authseam:sign-in:s9', text);
      page.href = `${CALLBACK}?code=1&state=s9`;
      expect(await failure(completeSignIn(auth))).toMatchObject({ code: 'CALLBACK_REJECTED' });
    }
  });

  it('does not answer a page of another origin that somebody has put into the storage', async () => {
    const auth = strategy();
    await signIn(auth);
    const kept = JSON.parse(storage.items.get('authseam:sign-in:s1')!);
    storage.items.set('authseam:sign-in:s1', JSON.stringify({ ...kept, returnTo: 'https://evil.example/' }));
    page.href = `${CALLBACK}?code=1&state=s1`;
    expect(await failure(completeSignIn(auth))).toMatchObject({ option: 'returnTo' });
  });

  it('two calls at once handle one callback once, and both get it', async () => {
    const auth = strategy();
    await signIn(auth);
    page.href = `${CALLBACK}?code=1&state=s1`;
    const results = await Promise.all([completeSignIn(auth), completeSignIn(auth)]);
    expect(results).toEqual([
      { tokens, returnTo: PAGE },
      { tokens, returnTo: PAGE },
    ]);
    expect(auth.handleCallback).toHaveBeenCalledTimes(1);
    expect(await completeSignIn(auth)).toBeUndefined();
  });

  it('two that fail at once fail alike, and the next one is free', async () => {
    const auth = strategy();
    await signIn(auth);
    page.href = `${CALLBACK}?code=1&state=s1`;
    auth.handleCallback.mockRejectedValueOnce(new Error('no network'));
    const results = await Promise.allSettled([completeSignIn(auth), completeSignIn(auth)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await completeSignIn(auth)).toBeUndefined();
  });

  it('sign-ins that were begun at the same time do not disturb each other, in whatever order they come back', async () => {
    const auth = strategy();
    await signIn(auth, { returnTo: '/one' });
    await signIn(auth, { returnTo: '/two' });
    const back = (state: string) => completeSignIn(auth, { url: `${CALLBACK}?code=1&state=${state}` });
    expect((await back('s2'))?.returnTo).toBe('https://app.example/two');
    expect((await back('s1'))?.returnTo).toBe('https://app.example/one');
  });

  it('with a storage that is blocked it is typed, and the URL is cleaned', async () => {
    vi.stubGlobal('sessionStorage', undefined);
    page.href = `${CALLBACK}?code=1&state=s1`;
    expect(await failure(completeSignIn(strategy()))).toEqual({ code: 'CONFIGURATION_ERROR', option: 'storage' });
    expect(page.href).toBe(CALLBACK);
  });
});

import { describe, expect, it, vi } from 'vitest';
import { type CompleteSignInOptions, completeSignIn } from './complete-sign-in.ts';
import { CALLBACK, failure, history, PAGE, page, startPage, storage, strategy, tokens } from './fixtures/page.ts';
import { signIn } from './sign-in.ts';

startPage();

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

  it('hands on who signs in only where that was given', async () => {
    for (const options of [{}, { subject: 'alice' }, { subject: () => 'alice' }]) {
      const auth = strategy();
      await signIn(auth);
      page.href = `${CALLBACK}?code=1&state=s1`;
      await completeSignIn(auth, options);
      expect(auth.handleCallback.mock.lastCall?.[2]).toStrictEqual(options);
    }
  });

  it.each<[string, object]>([
    ['subject', { subject: undefined }],
    ['subject', { subject: '' }],
    ['user', { user: 'alice' }],
  ])('leaves everything as it was when it is misused (%s: %j): the callback is still good', async (option, options) => {
    const auth = strategy();
    await signIn(auth);
    page.href = `${CALLBACK}?code=1&state=s1`;
    expect(await failure(completeSignIn(auth, options as CompleteSignInOptions))).toEqual({ code: 'CONFIGURATION_ERROR', option });
    expect([history.urls, storage.items.size]).toEqual([[], 1]);
    expect(await completeSignIn(auth, { subject: 'alice' })).toMatchObject({ tokens });
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

  it('with a storage that is blocked it is typed, and the URL is cleaned', async () => {
    vi.stubGlobal('sessionStorage', undefined);
    page.href = `${CALLBACK}?code=1&state=s1`;
    expect(await failure(completeSignIn(strategy()))).toEqual({ code: 'CONFIGURATION_ERROR', option: 'storage' });
    expect(page.href).toBe(CALLBACK);
  });
});

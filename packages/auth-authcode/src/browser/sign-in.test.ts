import { describe, expect, it, vi } from 'vitest';
import { failure, PAGE, page, startPage, storage, strategy } from './fixtures/page.ts';
import { signIn } from './sign-in.ts';

startPage();

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

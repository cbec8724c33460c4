// webStore in a real Chromium: localStorage, which lags behind locks, real tabs in processes of their own, some that stand still, a full storage.
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium } from './browser/chromium-page.ts';
import { type ChromiumTabs, INSECURE_HOST, openChromiumTabs } from './browser/chromium-tabs.ts';

let chromium: ChromiumTabs;

beforeAll(async () => {
  if (hasChromium()) chromium = await openChromiumTabs('store-page.ts');
});
beforeEach((context) => {
  if (!hasChromium()) context.skip('needs chromium');
});
afterEach(async () => {
  await Promise.all((chromium?.context.pages() ?? []).map((page) => page.close()));
});
afterAll(async () => {
  await chromium?.[Symbol.asyncDispose]();
});

function tabs(count: number): Promise<Page[]> {
  return Promise.all(Array.from({ length: count }, () => chromium.open()));
}

it('conforms', { timeout: 60_000 }, async () => {
  const page = await chromium.open();
  const outcomes = await page.evaluate(() => tab.conformance());
  expect(Object.keys(outcomes).length).toBeGreaterThan(20);
  expect(Object.fromEntries(Object.entries(outcomes).filter(([, problem]) => problem !== undefined))).toEqual({});
});

it.each(['lock', 'version'] as const)('four tabs that count by %s lose nothing', { timeout: 60_000 }, async (by) => {
  const pages = await tabs(4);
  await Promise.all(pages.map((page) => page.evaluate((by) => tab.count(`by-${by}`, 50, by), by)));
  const sum = await pages[0]!.evaluate(async (by) => {
    const store = tab.webStore({ storage: localStorage, name: `by-${by}` });
    const lock = await store.lock('count', { ttlMs: 5_000, waitMs: 5_000 });
    const found = await store.get('count');
    await lock.release();
    return found?.entry.accessToken;
  }, by);
  expect(sum).toBe('200');
});

describe('a lock', () => {
  it('of a tab that stands still runs out, and what the tab writes when it moves again is refused', async () => {
    const [still, other] = (await tabs(2)) as [Page, Page];
    const version = await still.evaluate(async () => {
      const store = tab.webStore({ storage: localStorage });
      const version = await store.set('a', { accessToken: 'old', tokenType: 'Bearer' });
      tab.locks.set('a', await store.lock('a', { ttlMs: 1_000, waitMs: 1_000 }));
      return version as string;
    });
    const tools = await chromium.tools(still);
    // What freezing does: no timer and no callback runs there. Chromium freezes no page that it shows, and without a screen it shows all.
    await tools.send('Debugger.enable');
    await tools.send('Debugger.pause');
    const { refusal, waitedMs } = await other.evaluate(async () => {
      const store = tab.webStore({ storage: localStorage });
      const startMs = performance.now();
      const refusal = await tab.failureOf(store.lock('a', { ttlMs: 1_000, waitMs: 200 }));
      const lock = await store.lock('a', { ttlMs: 30_000, waitMs: 10_000 });
      tab.locks.set('a', lock);
      await store.set('a', { accessToken: 'new', tokenType: 'Bearer' });
      return { refusal, waitedMs: performance.now() - startMs };
    });
    expect(refusal.code).toBe('TOKEN_STORE_ERROR');
    expect(waitedMs).toBeLessThan(5_000);
    await tools.send('Debugger.resume');
    await tools.send('Debugger.disable');
    const awakened = await still.evaluate(async (ifVersion) => {
      const store = tab.webStore({ storage: localStorage });
      const written = await store.set('a', { accessToken: 'stale', tokenType: 'Bearer' }, { ifVersion });
      await tab.locks.get('a')?.release();
      const refusal = await tab.failureOf(store.lock('a', { ttlMs: 1_000, waitMs: 300 }));
      return { written, entry: (await store.get('a'))?.entry.accessToken, isStillHeld: refusal.code };
    }, version);
    expect(awakened).toEqual({ written: false, entry: 'new', isStillHeld: 'TOKEN_STORE_ERROR' });
    await other.evaluate(() => tab.locks.get('a')?.release());
  });

  it('of a tab that is closed is free at once', async () => {
    const [closing, other] = (await tabs(2)) as [Page, Page];
    await closing.evaluate(async () => {
      await tab.webStore({ storage: localStorage }).lock('b', { ttlMs: 60_000, waitMs: 1_000 });
    });
    const waiting = other.evaluate(async () => {
      const lock = await tab.webStore({ storage: localStorage }).lock('b', { ttlMs: 1_000, waitMs: 4_000 });
      await lock.release();
    });
    await closing.close();
    await waiting;
  });
});

it('a full storage: typed, the old entry stays, and a token manager keeps the new token', async () => {
  const page = await chromium.open();
  const outcome = await page.evaluate(async () => {
    const store = tab.webStore({ storage: localStorage, name: 'full' });
    await store.set('a', { accessToken: 'old', tokenType: 'Bearer', expiresAtMs: 1 });
    let filler = 'x'.repeat(1_000_000);
    for (let index = 0; filler.length > 0; index++) {
      try {
        localStorage.setItem(`filler ${index}`, filler);
      } catch {
        filler = filler.slice(0, filler.length >> 1);
      }
    }
    const accessToken = `secret-token-${'y'.repeat(1_000)}`;
    const failure = await tab.failureOf(Promise.resolve(store.set('a', { accessToken, tokenType: 'Bearer' })));
    const events: string[] = [];
    const tokens = tab.createTokenManager({ key: 'a', store, fetchToken: () => ({ accessToken, tokenType: 'Bearer' }) });
    const fetched = await tokens.getToken({ emit: ({ type }) => events.push(type) });
    const again = await tokens.getToken();
    const stored = (await store.get('a'))?.entry.accessToken;
    localStorage.clear();
    return { failure, isKept: fetched.accessToken === accessToken && again === fetched, stored, events };
  });
  expect(outcome).toMatchObject({ failure: { code: 'TOKEN_STORE_ERROR' }, isKept: true, stored: 'old' });
  expect(outcome.failure.text).toContain('full');
  expect(outcome.failure.text).not.toContain('secret-token');
  expect(outcome.events).toContain('token-store-failed');
});

it('sessionStorage is one tab’s: the others neither see its tokens nor wait for its writes', async () => {
  const [one, other] = (await tabs(2)) as [Page, Page];
  await one.evaluate(async () => {
    await tab.webStore({ storage: sessionStorage }).set('a', { accessToken: 'one', tokenType: 'Bearer' });
  });
  const { found, tookMs } = await other.evaluate(async () => {
    const store = tab.webStore({ storage: sessionStorage });
    const found: unknown[] = [];
    const tookMs: number[] = [];
    for (let round = 0; round < 3; round++) {
      const startMs = performance.now();
      const lock = await store.lock('a', { ttlMs: 5_000, waitMs: 5_000 });
      found.push(await store.get('a'));
      await lock.release();
      tookMs.push(performance.now() - startMs);
    }
    return { found, tookMs };
  });
  expect(found).toEqual([undefined, undefined, undefined]);
  expect(Math.min(...tookMs)).toBeLessThan(900);
});

it('three tabs that fetch at once get one token', async () => {
  const pages = await tabs(3);
  const setUp = (page: Page) =>
    page.evaluate(async () => {
      const store = tab.webStore({ storage: localStorage, name: 'shared' });
      const fetchToken = async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { accessToken: crypto.randomUUID(), tokenType: 'Bearer', refreshToken: crypto.randomUUID() };
      };
      const tokens = tab.createTokenManager({ key: 'k', store, fetchToken });
      return (await tokens.getToken()).accessToken;
    });
  const tokens = await Promise.all(pages.map(setUp));
  expect(new Set(tokens).size).toBe(1);
});

it('a page without https has no Web Locks, and is told so', async () => {
  const { port } = new URL(chromium.server.origin);
  const page = await chromium.open(`http://${INSECURE_HOST}:${port}/`);
  const failure = await page.evaluate(() => tab.failureOf(Promise.resolve().then(() => tab.webStore({ storage: localStorage }))));
  expect(failure).toMatchObject({ code: 'CONFIGURATION_ERROR', option: 'locks' });
  expect(failure.text).toContain('https');
});

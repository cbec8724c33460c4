// Several tabs with the page in a real Chromium, at the real login pages of oidc-provider.
import { describe, expect, it } from 'vitest';
import { answerPages, call, holdBack, server, signedIn, startBrowser, stateIs, storedItems, tab } from './fixtures/tab.ts';

startBrowser();

const ROUNDS = 10;

describe('three tabs', () => {
  it('whose token expires at once refresh it once, and none fails', { timeout: 60_000 }, async () => {
    const first = await tab();
    await signedIn(first);
    const tabs = [first, await tab(), await tab()];
    for (const page of tabs) expect(await page.locator('#status').textContent()).toBe('Signed in as alice.');
    for (let round = 1; round <= ROUNDS; round++) {
      server.expireTokens();
      const answers = await Promise.all(tabs.map((page) => call(page, 5)));
      expect(answers.filter((answer) => !answer.includes('"alice"'))).toEqual([]);
      expect([server.refreshes, server.familyRevoked]).toEqual([round, false]);
    }
    const refreshed = await Promise.all(tabs.map((page) => page.getByText('this tab refreshed it').count()));
    expect(refreshed.reduce((sum, count) => sum + count, 0)).toBe(ROUNDS);
    expect(server.exchanges).toBe(1);
  });

  it('that sign in at the same time do not disturb each other, whoever comes back first', { timeout: 60_000 }, async () => {
    const tabs = [await tab('?one'), await tab('?two'), await tab('?three')];
    const back: (() => void)[] = [];
    const isBack: unknown[] = [];
    holdBack(back);
    for (const [index, page] of tabs.entries()) {
      await page.evaluate(() => document.querySelector<HTMLElement>('#sign-in')!.click());
      // The server knows who it is from then on. The last click ends when its page has come.
      const answered = index === 0 ? answerPages(page, 'alice') : undefined;
      await expect.poll(() => back.length).toBe(index + 1);
      isBack.push(answered);
    }
    holdBack(undefined);
    for (const [index, page] of [...tabs.entries()].reverse()) {
      back[index]!();
      await isBack[index];
      await stateIs(page, 'signed-in');
    }
    expect(tabs.map((page) => new URL(page.url()).search)).toEqual(['?one', '?two', '?three']);
    for (const page of tabs) expect(await call(page)).toContain('"alice"');
    // A tab that hears in time that another one has signed in stays where it is.
    expect(server.exchanges).toBeGreaterThanOrEqual(2);
    expect(server.familyRevoked).toBe(false);
  });

  it('are signed out when one is', async () => {
    const first = await tab();
    const second = await tab();
    await signedIn(first);
    await stateIs(second, 'signed-in'); // it heard of it
    await first.getByRole('button', { name: 'Sign out' }).click();
    await stateIs(second, 'signed-out');
    expect(await storedItems(second)).toEqual([]);
  });
});

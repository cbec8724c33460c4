// The page in a real Chromium, at the real login pages of oidc-provider.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { answerPages, call, context, server, signedIn, site, startBrowser, stateIs, storedItems, tab, VARIABLES } from './fixtures/tab.ts';
import { whichServer } from './which-server.ts';

startBrowser();

it('signs in, calls, refreshes an expired token, calls, and signs out', async () => {
  const page = await tab('?tab=2&q=a%20b#here');
  expect(await page.locator('#status').textContent()).toBe('Nobody is signed in.');
  expect(await page.locator('#problem').isVisible()).toBe(false);
  await signedIn(page, 'bob');
  expect(page.url()).toBe(`${site.url}?tab=2&q=a%20b#here`);
  expect(await page.locator('#status').textContent()).toBe('Signed in as bob.');
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  expect(JSON.parse(await call(page))).toMatchObject({ sub: 'bob', client_id: 'spa' });
  expect([server.exchanges, server.refreshes]).toEqual([1, 0]);

  await page.getByRole('button', { name: 'Expire my token' }).click();
  await page.getByText('the server let the token expire').waitFor();
  expect(JSON.parse(await call(page))).toMatchObject({ sub: 'bob' });
  expect([server.exchanges, server.refreshes, server.familyRevoked]).toEqual([1, 1, false]);
  expect(await page.locator('#events li').allTextContents()).toEqual([
    'the server let the token expire',
    'the API refused the token',
    'this tab refreshed it',
  ]);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${server.issuer}/**`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(site.url);
  await stateIs(page, 'signed-out');
  expect(await storedItems(page)).toEqual([]);
  expect(server.revocations).toBe(1);

  await page.getByRole('button', { name: 'Sign in' }).click(); // the server has forgotten, too: it asks again
  await page.getByLabel('User').waitFor();
});

it('a person who says no is told, and may think better of it', async () => {
  const page = await tab();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await answerPages(page, 'alice', 'Deny');
  await stateIs(page, 'signed-out');
  expect(await page.locator('#problem').textContent()).toContain('access_denied');
  expect(page.url()).toBe(site.url);
  await signedIn(page);
  expect(await page.locator('#problem').isVisible()).toBe(false);
});

describe('a reload', () => {
  it('of a page that is signed in asks nobody for anything', async () => {
    const page = await tab();
    await signedIn(page);
    await page.reload();
    await stateIs(page, 'signed-in');
    expect([server.tokenRequests, await page.locator('#events li').allTextContents()]).toEqual([
      1,
      ['a token of another tab, or of before, was taken over'],
    ]);
  });

  it('in the middle of the exchange sends no code twice; signing in again works', async () => {
    const page = await tab();
    server.inject({ at: '/token', delayMs: 1_500 });
    await page.getByRole('button', { name: 'Sign in' }).click();
    await answerPages(page, 'alice');
    await expect.poll(() => server.exchanges).toBe(1);
    expect(page.url()).toBe(site.url);
    await page.reload();
    await stateIs(page, 'signed-out');
    expect(await page.locator('#problem').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Sign in' }).click(); // the server still knows the person
    await stateIs(page, 'signed-in');
    expect([server.exchanges, server.familyRevoked]).toEqual([2, false]);
  });

  it('of the callback itself, as history or a link may bring it back, exchanges nothing', async () => {
    const page = await tab();
    const callbacks: string[] = [];
    page.on('request', (request) => {
      if (request.url().startsWith(`${site.url}?code=`)) callbacks.push(request.url());
    });
    await signedIn(page);
    expect(callbacks.length).toBe(1);
    await page.goto(callbacks[0]!);
    await stateIs(page, 'signed-out');
    expect(await page.locator('#problem').textContent()).toContain('this tab began no such sign-in');
    expect([page.url(), server.exchanges]).toEqual([site.url, 1]);
    await page.reload();
    await stateIs(page, 'signed-in');
  });

  it('the back button leads to a page that knows what has happened', async () => {
    const page = await tab('?first');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('User').waitFor();
    await page.goBack();
    await stateIs(page, 'signed-out');
    await signedIn(page);
    await page.goto(`${site.url}?second`);
    await page.goBack();
    await stateIs(page, 'signed-in');
    expect([page.url(), server.exchanges]).toEqual([`${site.url}?first`, 1]);
  });
});

describe('pnpm start', () => {
  it('serves the page from its sources, with a server of its own', { timeout: 60_000 }, async () => {
    const { url, end } = await started({ PORT: String(await freePort()) });
    try {
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(url);
      await stateIs(page, 'signed-out');
      await signedIn(page);
      await page.getByRole('button', { name: 'Expire my token' }).click();
      await page.getByText('the server let the token expire').waitFor();
      expect(JSON.parse(await call(page))).toMatchObject({ sub: 'alice' });
      expect(problems).toEqual([]);
    } finally {
      expect(await end()).toBe(0);
    }
  });

  it.each(VARIABLES.slice(0, 3))('names %s when it is not set and another is', async (name) => {
    for (const other of VARIABLES.slice(0, 3)) vi.stubEnv(other, other === name ? undefined : 'https://login.example.com');
    try {
      await expect(whichServer('http://127.0.0.1:5173/')).rejects.toMatchObject({
        code: 'CONFIGURATION_ERROR',
        message: expect.stringContaining(name),
      });
    } finally {
      for (const other of VARIABLES) vi.stubEnv(other, undefined);
    }
  });
});

/** The example in a process of its own, as its users start it. */
async function started(env: Record<string, string>): Promise<{ readonly url: string; end(): Promise<number | null> }> {
  const child = spawn(process.execPath, ['--conditions=@authseam/source', 'src/main.ts'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /http:\S+/.exec(String(line))?.[0] ?? '';
  const end = (): Promise<number | null> => {
    child.kill('SIGINT');
    return exit;
  };
  return { url, end };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

// The page in a real Chromium, at the real login pages of oidc-provider.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type LoopbackServer, loopbackServer, type OidcServer } from '@authseam/testing';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { viteConfig } from './vite-config.ts';
import { whichServer } from './which-server.ts';

/** Where Debian puts it. */
const EXECUTABLE = '/usr/bin/chromium';
const VARIABLES = ['VITE_ISSUER', 'VITE_CLIENT_ID', 'VITE_API_URL', 'VITE_SCOPE'];
const ROUNDS = 10;

let browser: Browser;
let context: BrowserContext;
let site: LoopbackServer;
let server: OidcServer;
/** People on their way back, while there is such a list: call one, and they arrive. */
let heldBack: (() => void)[] | undefined;

beforeAll(async () => {
  for (const name of VARIABLES) vi.stubEnv(name, undefined);
  if (!existsSync(EXECUTABLE)) return;
  const files = new Map<string, { readonly body: string; readonly headers: Record<string, string> }>();
  site = await loopbackServer({
    routes: {
      'POST /expire-tokens': () => {
        server.expireTokens();
        return { status: 204 };
      },
      '*': async ({ path, query }) => {
        if (query.includes('code=')) await new Promise<void>((resolve) => (heldBack ? heldBack.push(resolve) : resolve()));
        return files.get(path) ?? { status: 404, body: `nothing at ${path}` };
      },
    },
  });
  const { server: embedded, ...settings } = await whichServer(site.url);
  server = embedded!;
  for (const { path, body, type } of await built(settings)) files.set(path, { body, headers: { 'Content-Type': type } });
  browser = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}, 60_000);
beforeEach(async (test) => {
  if (!existsSync(EXECUTABLE)) return test.skip('needs chromium');
  context = await browser.newContext();
  server.clearRequests();
});
afterEach(async () => {
  await context?.close();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await browser?.close();
  await Promise.all([site?.close(), server?.close()]);
});

const FLAGS = [
  '--disable-gpu',
  '--no-first-run',
  '--no-proxy-server',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** The page as Vite builds it, in memory. */
async function built(settings: Parameters<typeof viteConfig>[0]) {
  const config = viteConfig(settings, '/expire-tokens');
  const { output } = (await build({ ...config, build: { ...config.build, write: false } })) as Rolldown.RolldownOutput;
  return output.map((file) => ({
    path: file.fileName === 'index.html' ? '/' : `/${file.fileName}`,
    body: file.type === 'chunk' ? file.code : String(file.source),
    type: file.fileName.endsWith('.js') ? 'text/javascript' : file.fileName.endsWith('.css') ? 'text/css' : 'text/html',
  }));
}

/** A tab with the page, once it knows who is signed in. */
async function tab(path = ''): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(site.url + path);
  await stateIs(page, '[^l].*');
  return page;
}

async function stateIs(page: Page, state: string): Promise<void> {
  await page.waitForFunction((pattern) => new RegExp(`^${pattern}$`).test(document.querySelector('main')?.dataset['state'] ?? ''), state, {
    polling: 20,
  });
}

/** Answers what the server asks, until it sends the person back. */
async function answerPages(page: Page, user: string, decision = 'Allow'): Promise<void> {
  await page.getByLabel('User').fill(user);
  await page.getByRole('button', { name: decision }).click();
  if (decision !== 'Allow') return;
  await page.getByRole('heading', { name: 'Consent' }).waitFor();
  await page.getByRole('button', { name: 'Allow' }).click();
}

async function signedIn(page: Page, user = 'alice'): Promise<void> {
  await page.getByRole('button', { name: 'Sign in' }).click();
  await answerPages(page, user);
  await stateIs(page, 'signed-in');
}

/** Presses the button so many times at once, and waits for as many answers. Not by the mouse: that waits for a tab in the background to paint. */
async function call(page: Page, times = 1): Promise<string> {
  return page.evaluate(async (count) => {
    const answer = document.querySelector<HTMLElement>('#answer')!;
    const problem = document.querySelector<HTMLElement>('#problem')!;
    let answers = 0;
    const observer = new MutationObserver((records) => {
      answers += records.length;
    });
    observer.observe(answer, { childList: true });
    for (let press = 0; press < count; press++) document.querySelector<HTMLElement>('#call')!.click();
    while (answers < count && problem.hidden) await new Promise((resolve) => setTimeout(resolve, 5));
    observer.disconnect();
    return problem.hidden ? answer.textContent : `problem: ${problem.textContent}`;
  }, times);
}

const storedItems = (page: Page) => page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]);

it('signs in, calls, refreshes an expired token, calls, and signs out', { timeout: 30_000 }, async () => {
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

it('a person who says no is told, and may think better of it', { timeout: 30_000 }, async () => {
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
  it('of a page that is signed in asks nobody for anything', { timeout: 30_000 }, async () => {
    const page = await tab();
    await signedIn(page);
    await page.reload();
    await stateIs(page, 'signed-in');
    expect([server.tokenRequests, await page.locator('#events li').allTextContents()]).toEqual([
      1,
      ['a token of another tab, or of before, was taken over'],
    ]);
  });

  it('in the middle of the exchange sends no code twice; signing in again works', { timeout: 30_000 }, async () => {
    const page = await tab();
    server.inject({ at: '/token', delayMs: 1_500 });
    await page.getByRole('button', { name: 'Sign in' }).click();
    await answerPages(page, 'alice');
    await vi.waitFor(() => expect(server.exchanges).toBe(1), 10_000);
    expect(page.url()).toBe(site.url);
    await page.reload();
    await stateIs(page, 'signed-out');
    expect(await page.locator('#problem').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Sign in' }).click(); // the server still knows the person
    await stateIs(page, 'signed-in');
    expect([server.exchanges, server.familyRevoked]).toEqual([2, false]);
  });

  it('of the callback itself, as history or a link may bring it back, exchanges nothing', { timeout: 30_000 }, async () => {
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

  it('the back button leads to a page that knows what has happened', { timeout: 30_000 }, async () => {
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
    heldBack = back;
    for (const [index, page] of tabs.entries()) {
      await page.evaluate(() => document.querySelector<HTMLElement>('#sign-in')!.click());
      // The server knows who it is from then on. The last click ends when its page has come.
      const answered = index === 0 ? answerPages(page, 'alice') : undefined;
      await vi.waitFor(() => expect(back.length).toBe(index + 1), 10_000);
      isBack.push(answered);
    }
    heldBack = undefined;
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

  it('are signed out when one is', { timeout: 30_000 }, async () => {
    const first = await tab();
    const second = await tab();
    await signedIn(first);
    await stateIs(second, 'signed-in'); // it heard of it
    await first.getByRole('button', { name: 'Sign out' }).click();
    await stateIs(second, 'signed-out');
    expect(await storedItems(second)).toEqual([]);
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

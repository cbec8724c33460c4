import { existsSync } from 'node:fs';
import { type LoopbackServer, loopbackServer } from '@authseam/testing';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian puts it. */
const EXECUTABLE = '/usr/bin/chromium';

/** Whether there is a Chromium to run. */
export function hasChromium(): boolean {
  return existsSync(EXECUTABLE);
}

/** A page with `page.ts` loaded, and the server of its origin, which answers all else with 200. */
export interface ChromiumPage extends AsyncDisposable {
  readonly page: Page;
  readonly server: LoopbackServer;
}

/** Starts Chromium, which reaches nothing but this machine, and opens the page. */
export async function openChromiumPage(): Promise<ChromiumPage> {
  const [script, browser] = await Promise.all([bundledPage(), launchChromium()]);
  const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
  const server = await loopbackServer({
    routes: {
      'GET /app/index.html': () => ({ headers: { 'Content-Type': 'text/html' }, body: html }),
      'GET /page.js': () => ({ headers: { 'Content-Type': 'text/javascript' }, body: script }),
      '*': ({ path }) => ({ body: `this is ${path}` }),
    },
  });
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    await page.goto(`${server.origin}/app/index.html`);
    return { page, server, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts Chromium, which reaches nothing but this machine. @param hosts Names that lead there besides, as rules of `--host-resolver-rules`. */
export function launchChromium(hosts: readonly string[] = []): Promise<Browser> {
  const rules = [...hosts, 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1', 'EXCLUDE localhost'].join(', ');
  return chromium.launch({ executablePath: EXECUTABLE, args: [...FLAGS, `--host-resolver-rules=${rules}`] });
}

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--no-proxy-server',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

async function bundledPage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${import.meta.dirname}/page.ts`],
    bundle: true,
    format: 'esm',
    target: 'es2023',
    platform: 'browser',
    conditions: ['@authseam/source'],
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

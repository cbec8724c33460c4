import { type LoopbackServer, loopbackServer } from '@authseam/testing';
import { build } from 'esbuild';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import { launchChromium } from './chromium-page.ts';

/** A Chromium whose tabs all load one script. */
export interface ChromiumTabs extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly server: LoopbackServer;
  /** A new tab with the script loaded, which sets `tab`. Default: on the server's own origin. */
  open(url?: string): Promise<Page>;
  /** The developer tools of a tab: they can make it stand still. */
  tools(page: Page): Promise<CDPSession>;
}

/** A name that leads to this machine without being local: pages of http://insecure.example:<port> are no secure context. */
export const INSECURE_HOST = 'insecure.example';

/** Starts Chromium, which reaches nothing but this machine. `script` is a file of this folder. */
export async function openChromiumTabs(script: string): Promise<ChromiumTabs> {
  const [bundle, browser] = await Promise.all([
    bundled(`${import.meta.dirname}/${script}`),
    launchChromium([`MAP ${INSECURE_HOST} 127.0.0.1`]),
  ]);
  const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
  const server = await loopbackServer({
    routes: {
      'GET /': () => ({ headers: { 'Content-Type': 'text/html' }, body: html }),
      'GET /page.js': () => ({ headers: { 'Content-Type': 'text/javascript' }, body: bundle }),
    },
  });
  const context = await browser.newContext();
  return {
    context,
    server,
    async open(url = server.url) {
      const page = await context.newPage();
      await page.goto(url);
      await page.waitForFunction('globalThis.tab !== undefined');
      return page;
    },
    tools: (page) => context.newCDPSession(page),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.close();
    },
  };
}

async function bundled(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    format: 'esm',
    target: 'es2023',
    platform: 'browser',
    conditions: ['@authseam/source'],
    external: ['node:*'], // the conformance cases that need Node are not used here, and are left out with what they import
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

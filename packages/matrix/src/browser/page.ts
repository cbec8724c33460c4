// What the page of browser.test.ts loads. A test says what the page does in `page.evaluate`, with what stands here under `authseam`.
import { attachAuth } from '@authseam/adapter-axios';
import { withAuth } from '@authseam/adapter-fetch';
import { apiKey, bearerToken } from '@authseam/auth-api-key';
import { type AuthEvent, type AuthStrategy, createTokenManager, fromTokenSource, isAuthError, type WithAuthOptions } from '@authseam/core';
import axios, { type AxiosRequestConfig } from 'axios';

/** What became of a call, as data that can leave the page. */
export interface Outcome {
  readonly response?: { readonly status: number; readonly url: string; readonly redirected: boolean; readonly text: string };
  readonly error?: { readonly name: string; readonly message: string; readonly code: string | undefined };
  readonly events: readonly AuthEvent['type'][];
}

/** Sends one request through the adapter, for good or ill. */
async function send(strategy: AuthStrategy, input: string | Request, init?: RequestInit, options?: WithAuthOptions): Promise<Outcome> {
  const { events, onEvent } = eventTypes();
  try {
    const api = withAuth(fetch, strategy, { ...options, onEvent });
    const response = await api(input, init);
    const { status, url, redirected } = response;
    return { response: { status, url, redirected, text: await response.text() }, events };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: { name, message, code: isAuthError(error) ? error.code : undefined }, events };
  }
}

/** Sends one request through an axios instance. */
async function sendAxios(strategy: AuthStrategy, config: AxiosRequestConfig, options?: WithAuthOptions): Promise<Outcome> {
  const { events, onEvent } = eventTypes();
  try {
    const instance = axios.create();
    attachAuth(instance, strategy, { ...options, onEvent });
    const { status, data, request } = await instance.request<string>({ validateStatus: null, ...config });
    return { response: { status, url: request.responseURL ?? '', redirected: false, text: data }, events };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: { name, message, code: (error as { code?: string }).code }, events };
  }
}

/** A token manager whose tokens are t1, t2, …, and how many it fetched. */
function rotatingTokens(): { readonly strategy: AuthStrategy; readonly count: () => number } {
  let count = 0;
  const source = createTokenManager({ key: 'test', fetchToken: () => ({ accessToken: `t${++count}`, tokenType: 'Bearer' }) });
  return { strategy: fromTokenSource(source, { name: 'tokens' }), count: () => count };
}

const tools = { send, sendAxios, rotatingTokens, apiKey, bearerToken, createTokenManager, fromTokenSource };

declare global {
  var authseam: typeof tools;
}
globalThis.authseam = tools;

/** The types of all events, but for waits: how often somebody waits is of no interest here. */
function eventTypes() {
  const events: AuthEvent['type'][] = [];
  return { events, onEvent: ({ type }: AuthEvent) => type === 'token-awaited' || events.push(type) };
}

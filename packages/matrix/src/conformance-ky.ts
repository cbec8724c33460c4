import { withAuth } from '@authseam/adapter-ky';
import type { AuthStrategy } from '@authseam/core';
import type { ClientFunction, ClientRequest, ClientSettings, LateHook } from '@authseam/testing/conformance';
import ky, { HTTPError, type KyInstance, type Options } from 'ky';
import type { MatrixAdapter } from './adapters.ts';

/** ky, as the cases call it. */
export function kySubject(name: string): MatrixAdapter {
  return {
    name,
    attach: (strategy, options, settings = {}) => client(settings, (instance) => withAuth(instance, strategy, options)),
    bare: (settings = {}) => client(settings),
    cannot: {
      nestedParams: 'ky takes flat `searchParams`',
      paramsSerializer: 'ky takes no serializer',
      transforms: 'ky transforms no bodies',
      userinfo: 'ky refuses such URLs itself, before its fetch is called, and quotes them',
    },
  };
}

function client(settings: ClientSettings, attach: (instance: KyInstance) => KyInstance = (instance) => instance): ClientFunction {
  const { retries = 0, hook } = settings;
  const hooks = hook ? { hooks: { beforeRequest: [changing(hook)] } } : {};
  const retry = { limit: retries, delay: () => 0, statusCodes: [503] };
  // Errors carry the body as it was.
  const instance = ky.create({ retry, timeout: false, parseJson: (text) => text, ...(hook?.registered === 'before' && hooks) });
  const attached = attach(instance);
  const send = hook?.registered === 'after' ? attached.extend(hooks) : attached;
  return async (url, request = {}) => {
    try {
      const response = await send(url, Object.freeze(optionsOf(request)));
      return { status: response.status, url: response.url, redirected: response.redirected, text: await response.text() };
    } catch (error) {
      if (!(error instanceof HTTPError)) throw error;
      const { status, url: finalUrl, redirected } = error.response;
      return { status, url: finalUrl, redirected, text: String(error.data ?? ''), error };
    }
  };
}

function changing({ query, header, body }: LateHook): (state: { readonly request: Request }) => Promise<Request> {
  return async ({ request }) => {
    const headers = new Headers(request.headers);
    headers.set(...header);
    const changed = `${request.url}${request.url.includes('?') ? '&' : '?'}${query}`;
    const bytes = body ?? (request.body ? await request.arrayBuffer() : undefined);
    return new Request(changed, { method: request.method, headers, signal: request.signal, ...(bytes !== undefined && { body: bytes }) });
  };
}

function optionsOf(request: ClientRequest): Options {
  const { params, timeoutMs, paramsSerializer: _, early: __, authStrategy, ...options } = request;
  return {
    ...options,
    ...(params && { searchParams: params as Record<string, string> }),
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    ...('authStrategy' in request && { authStrategy: authStrategy as AuthStrategy | false }),
  } as Options;
}

import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { attachAuth } from '@authseam/adapter-axios';
import type { AuthStrategy } from '@authseam/core';
import type { ClientBody, ClientFunction, ClientRequest, ClientResponse, ClientSettings, LateHook } from '@authseam/testing/conformance';
import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import axiosRetry from 'axios-retry';
import type { MatrixAdapter } from './adapters.ts';

/** axios with one of its own adapters, as the cases call it. */
export function axiosSubject(name: string, adapter: 'http' | 'fetch'): MatrixAdapter {
  return {
    name,
    attach: (strategy, options, settings = {}) => client(adapter, settings, (instance) => attachAuth(instance, strategy, options)),
    bare: (settings = {}) => client(adapter, settings),
    ...(adapter === 'fetch' && { cannot: { finalUrl: "axios's fetch adapter does not tell the final URL" } }),
  };
}

function client(adapter: 'http' | 'fetch', settings: ClientSettings, attach?: (instance: AxiosInstance) => void): ClientFunction {
  const { retries = 0, hook, transform } = settings;
  const instance = axios.create({
    adapter,
    ...(transform && { transformRequest: [(data) => transform.request(data)], transformResponse: [(data) => transform.response(data)] }),
  });
  if (hook?.registered === 'before') register(instance, hook);
  attach?.(instance);
  if (hook?.registered === 'after') register(instance, hook);
  if (retries > 0) axiosRetry(instance, { retries, retryDelay: () => 0 });
  return (url, request = {}) => instance.request(Object.freeze(configOf(url, request, adapter))).then(answerOf, thrownAnswer);
}

function register(instance: AxiosInstance, { query, header, body }: LateHook): void {
  instance.interceptors.request.use((config) => {
    const [address = '', ...rest] = (config.url ?? '').split('#');
    config.url = [`${address}${address.includes('?') ? '&' : '?'}${query}`, ...rest].join('#');
    config.headers.set(...header);
    if (body !== undefined) config.data = body;
    return config;
  });
}

function configOf(url: string, request: ClientRequest, adapter: 'http' | 'fetch'): AxiosRequestConfig {
  const { method, headers, body, json, params, paramsSerializer, signal, timeoutMs, throwHttpErrors, early = false } = request;
  return {
    url,
    responseType: early ? 'stream' : 'text',
    ...(method !== undefined && { method }),
    ...(headers && { headers }),
    ...(body !== undefined && { data: dataOf(body, adapter) }),
    ...(json !== undefined && { data: json }),
    ...(params && { params }),
    ...(paramsSerializer && { paramsSerializer: { serialize: paramsSerializer } }),
    ...(signal && { signal }),
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    ...(throwHttpErrors === false && { validateStatus: null }),
    ...('authStrategy' in request && { authStrategy: request.authStrategy as AuthStrategy | false }),
  };
}

/** axios's http adapter streams what Node streams, its fetch adapter what the web does; neither knows async iterables. */
function dataOf(body: ClientBody, adapter: 'http' | 'fetch'): unknown {
  const isIterable = typeof body === 'object' && Symbol.asyncIterator in body;
  if (!isIterable) return body;
  if (adapter === 'http') return Readable.from(body);
  return body instanceof ReadableStream ? body : Readable.toWeb(Readable.from(body));
}

async function answerOf({ status, data, request }: AxiosResponse): Promise<ClientResponse> {
  const url: unknown = request?.res?.responseUrl;
  const isStream = data instanceof Readable || data instanceof ReadableStream;
  return { status, text: isStream ? await text(data) : String(data ?? ''), ...(typeof url === 'string' && { url }) };
}

async function thrownAnswer(error: unknown): Promise<ClientResponse> {
  if (!axios.isAxiosError(error) || !error.response) throw error;
  return { ...(await answerOf(error.response)), error };
}

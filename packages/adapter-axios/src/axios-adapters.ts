import { type AxiosAdapter, getAdapter, type InternalAxiosRequestConfig } from 'axios';

/** `'http'` or `'xhr'` for axios's own; it leaves its fetch adapter without a name. */
export function nameOf(adapter: AxiosAdapter): string | undefined {
  return (adapter as { adapterName?: string }).adapterName;
}

/** Whether `adapter` is axios's own on fetch. */
export function isFetchAdapter(adapter: AxiosAdapter, config: InternalAxiosRequestConfig): boolean {
  return nameOf(adapter) === undefined && adapter === getAdapter('fetch', config);
}

import type { AuthStrategy, WithAuthOptions } from '@authseam/core';
import type { AdapterSubject, ClientFunction, ClientSettings } from '@authseam/testing/conformance';
import { axiosSubject } from './conformance-axios.ts';
import { fetchSubject } from './conformance-fetch.ts';
import { kySubject } from './conformance-ky.ts';

export type { ClientRequest as MatrixRequest } from '@authseam/testing/conformance';

/** An adapter under test, with the types that its users see. */
export interface MatrixAdapter extends Omit<AdapterSubject, 'attach'> {
  attach(strategy: AuthStrategy, options?: WithAuthOptions, settings?: ClientSettings): ClientFunction;
}

/** Every adapter. Adding one is a line here. */
export const adapters: readonly MatrixAdapter[] = [
  fetchSubject('fetch'),
  axiosSubject('axios http', 'http'),
  axiosSubject('axios fetch', 'fetch'),
  kySubject('ky'),
];

import type { AuthStrategy } from '@authseam/core';
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { expectTypeOf, it } from 'vitest';
import { type AxiosLike, attachAuth } from './index.ts';

declare const strategy: AuthStrategy;

it('takes any instance and a strategy, and gives a function that detaches', () => {
  expectTypeOf(attachAuth(axios, strategy)).toEqualTypeOf<() => void>();
  expectTypeOf(attachAuth).parameter(0).toEqualTypeOf<AxiosLike>();
  expectTypeOf<AxiosInstance>().toExtend<AxiosLike>();
  // @ts-expect-error fetch is no instance
  attachAuth(fetch, strategy);
  // @ts-expect-error no such option
  attachAuth(axios, strategy, { origin: 'https://api.example.com' });
});

it('lets every request choose its strategy', () => {
  expectTypeOf<AxiosRequestConfig['authStrategy']>().toEqualTypeOf<AuthStrategy | false | undefined>();
  void axios.get('/a', { authStrategy: false });
  void axios.post<{ id: string }>('/a', {}, { authStrategy: strategy });
  // @ts-expect-error `true` is neither
  void axios.get('/a', { authStrategy: true });
});

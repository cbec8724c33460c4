import type { AuthStrategy } from '@authseam/core';
import type { FetchLike } from '@authseam/core/fetch';
import { expectTypeOf } from 'vitest';
import { withAuth } from './index.ts';

declare const strategy: AuthStrategy;
declare const url: string;

// The result is of the given type, and goes wherever that goes.
const api = withAuth(fetch, strategy);
expectTypeOf(api).toExtend<typeof fetch>();
expectTypeOf(api(url, { authStrategy: false })).toEqualTypeOf<Promise<Response>>();
declare const bun: typeof fetch & { preconnect(url: string): void };
expectTypeOf(withAuth(bun, strategy).preconnect).toEqualTypeOf<(url: string) => void>();
withAuth(api, strategy, { origins: url });

// So does what others write around it: generic, explicit, one parameter, or with one of the two members that ky has.
export const wrap = <F extends FetchLike>(given: F): F => withAuth(given, strategy);
withAuth<typeof fetch>(fetch, strategy);
withAuth(async (input: RequestInfo | URL) => new Response(String(input)), strategy);
expectTypeOf<typeof fetch>().toExtend<Parameters<typeof withAuth>[0]>();
withAuth(JSON.parse(url), strategy);
declare const creator: typeof fetch & { create(): void };
withAuth(creator, strategy);

declare const ky: typeof fetch & {
  get(input: string): Promise<Response>;
  create(defaults?: object): unknown;
  extend(defaults: object): unknown;
};
// @ts-expect-error ky has an adapter of its own
() => withAuth(ky, strategy);
// @ts-expect-error no strategy
() => withAuth(fetch);
// @ts-expect-error no such option
() => withAuth(fetch, strategy, { origin: url });

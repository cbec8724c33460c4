import type { AuthStrategy } from '@authseam/core';
import ky, { type KyInstance, type Options } from 'ky';
import { expectTypeOf } from 'vitest';
import { withAuth } from './index.ts';

declare const strategy: AuthStrategy;
declare const url: string;

// The result is ky's own type, and goes wherever ky goes.
const api = withAuth(ky, strategy);
expectTypeOf(api).toEqualTypeOf<KyInstance>();
expectTypeOf(withAuth(api.extend({ prefix: url }), strategy, { origins: url, timeoutMs: 1000 })).toEqualTypeOf<KyInstance>();

// Per request: every method takes `authStrategy` beside ky's options, and hooks can set it.
api(url, { authStrategy: false });
api.get(url, { authStrategy: strategy, retry: 0 }).json<{ id: number }>();
api.post(url, { authStrategy: undefined, json: {} });
expectTypeOf<Options['authStrategy']>().toEqualTypeOf<AuthStrategy | false | undefined>();
api(url, { hooks: { init: [(options) => void Object.assign(options, { authStrategy: false } satisfies Options)] } });
// @ts-expect-error `true` says nothing
api(url, { authStrategy: true });
// @ts-expect-error a strategy is an object, not its name
api(url, { authStrategy: 'apiKey' });

// ky's options are what they were.
// @ts-expect-error no option of ky
api(url, { jsn: {} });
expectTypeOf<Options['timeout']>().toEqualTypeOf<number | false | undefined>();

// @ts-expect-error fetch has an adapter of its own
() => withAuth(fetch, strategy);
// @ts-expect-error no strategy
() => withAuth(ky);
// @ts-expect-error no such option
() => withAuth(ky, strategy, { origin: url });

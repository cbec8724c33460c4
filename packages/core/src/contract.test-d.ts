// DESIGN.md §4: names and shapes that others write code against.
import { expectTypeOf } from 'vitest';
import {
  type AuthContext,
  type AuthEvent,
  type AuthPatch,
  type AuthRequest,
  type AuthResponse,
  type AuthStrategy,
  type Awaitable,
  byOrigin,
  compose,
  createTokenManager,
  fromEnv,
  fromTokenSource,
  isAuthError,
  memoryStore,
  type Secret,
  type SentAttempt,
  staticHeaders,
  type TokenSet,
  type TokenSource,
  type TokenStore,
  type WithAuthOptions,
} from './index.ts';

// A strategy written as the contract shows it.
interface Nonce {
  readonly nonce: string;
}
const signed: AuthStrategy<Nonce> = {
  name: 'signed',
  specVersion: 1,
  readsBody: 'bytes',
  sensitive: { headers: ['x-signature'], query: [], cookies: [] },
  authorize(request, context) {
    expectTypeOf(request).toEqualTypeOf<AuthRequest>();
    expectTypeOf(context).toEqualTypeOf<AuthContext>();
    expectTypeOf(request.body).toEqualTypeOf<Uint8Array | string | undefined>();
    expectTypeOf(request.headers.get('x')).toEqualTypeOf<string | null>();
    return { headers: { 'X-Signature': String(context.now()) }, query: [['n', '1']], cookies: {}, form: [], receipt: { nonce: 'n' } };
  },
  async isRejected(response, { receipt }) {
    expectTypeOf(receipt).toEqualTypeOf<Nonce | undefined>();
    expectTypeOf(response).toEqualTypeOf<AuthResponse>();
    expectTypeOf(await response.json()).toBeUnknown();
    return response.status === 403;
  },
  recover: async (_response, sent, context) => !context.signal?.aborted && sent.receipt?.nonce !== undefined,
  observe: () => {},
};

// The shortest one, and that any strategy goes wherever one is taken.
const shortest: AuthStrategy = { name: 'shortest', specVersion: 1, authorize: () => ({}) };
expectTypeOf(compose(shortest, staticHeaders({ a: 'b' }))).toExtend<AuthStrategy>();
expectTypeOf(byOrigin({ 'https://a.example': shortest })).toExtend<AuthStrategy>();
expectTypeOf(staticHeaders({})).toExtend<AuthStrategy>();
expectTypeOf(fromTokenSource({} as TokenSource, { name: 'x' })).toExtend<AuthStrategy>();
const asAny: AuthStrategy = signed;
compose(signed, asAny);

// @ts-expect-error a later version of the contract is another type
const wrongVersion: AuthStrategy = { name: 'x', specVersion: 2, authorize: () => ({}) };
// @ts-expect-error `authorize` is what a strategy is
const noAuthorize: AuthStrategy = { name: 'x', specVersion: 1 };
// @ts-expect-error the receipt is what `authorize` says
const wrongReceipt: AuthStrategy<Nonce> = { name: 'x', specVersion: 1, authorize: () => ({ receipt: 7 }) };

expectTypeOf<AuthPatch<Nonce>['receipt']>().toEqualTypeOf<Nonce | undefined>();
expectTypeOf<SentAttempt<Nonce>>().toEqualTypeOf<{ readonly request: AuthRequest; readonly receipt: Nonce | undefined }>();
// @ts-expect-error a strategy only reads requests
(request: AuthRequest) => (request.url = '');

// Events narrow by `type`, and the union is closed.
function describeEvent(event: AuthEvent): string | number | undefined {
  expectTypeOf(event.strategy).toEqualTypeOf<string>();
  switch (event.type) {
    case 'request-bare':
      return event.origin + event.reason;
    case 'credential-conflict':
      return event.place satisfies 'header' | 'query' | 'cookie' | 'form';
    case 'rejected':
      return event.attempt;
    case 'rejection-check-failed':
      return event.status;
    case 'replay-skipped':
      return event.reason satisfies 'body-not-replayable' | 'max-attempts';
    case 'token-locked':
    case 'token-awaited':
      return event.waitedMs;
    case 'token-fetched':
    case 'token-discarded':
      return event.generation;
    case 'token-adopted':
      return event.expiresAtMs;
    case 'token-request-retry':
      return event.delayMs;
    case 'token-request-failed':
      return event.code;
    case 'scope-changed':
      return event.granted;
    case 'token-store-failed':
      return event.operation;
    default:
      return event satisfies never;
  }
}

// Secrets.
expectTypeOf<Secret>().toEqualTypeOf<string | (() => Awaitable<string>)>();
expectTypeOf(fromEnv('NAME')).toExtend<Secret>();
expectTypeOf<() => Promise<string>>().toExtend<Secret>();
expectTypeOf<() => undefined>().not.toExtend<Secret>();
expectTypeOf<number>().not.toExtend<Secret>();

// Stores: what is synchronous, what is not, and one without a lock.
const synchronous: TokenStore = { get: () => undefined, set: () => '1', delete: () => true };
const asynchronous: TokenStore = {
  get: async (key) => ({ entry: { accessToken: key, tokenType: 'Bearer' }, version: '1' }),
  set: async (_key, _entry, { ifVersion } = {}) => (ifVersion === null ? '1' : false),
  delete: async (_key, options) => options?.ifVersion !== undefined,
  lock: async (_key, { ttlMs, waitMs, signal }) => {
    expectTypeOf(ttlMs + waitMs).toBeNumber();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal | undefined>();
    return { release: async () => {} };
  },
};
expectTypeOf(memoryStore()).toEqualTypeOf<Required<TokenStore>>();
// @ts-expect-error a write says which version it made
const silent: TokenStore = { get: () => undefined, set: () => {}, delete: () => true };

// Token sources and managers.
const tokens = createTokenManager({
  key: 'k',
  store: asynchronous,
  fetchToken: ({ current, signal }) => {
    expectTypeOf(current).toEqualTypeOf<TokenSet | undefined>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    return { accessToken: 'a', tokenType: 'Bearer' };
  },
});
expectTypeOf(tokens).toExtend<TokenSource>();
expectTypeOf(tokens.getToken({ forceRefresh: true })).toEqualTypeOf<Awaitable<TokenSet>>();
const minimal: TokenSource = {
  getToken: () => ({ accessToken: 'a', tokenType: 'Bearer' }),
  rejected: () => false,
  invalidate: async () => {},
};

// Errors and options.
(error: unknown) => isAuthError(error) && expectTypeOf(error.code).toBeString();
expectTypeOf<WithAuthOptions['origins']>().toEqualTypeOf<string | readonly string[] | undefined>();
expectTypeOf<WithAuthOptions>().toEqualTypeOf<{
  readonly origins?: string | readonly string[] | undefined;
  readonly allowInsecureHttp?: boolean | undefined;
  readonly maxAttempts?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly onEvent?: ((event: AuthEvent) => void) | undefined;
  readonly unsafeAllowHiddenRedirects?: boolean | undefined;
}>();

export { describeEvent, minimal, noAuthorize, silent, synchronous, wrongReceipt, wrongVersion };

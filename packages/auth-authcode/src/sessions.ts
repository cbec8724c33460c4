import {
  type AuthError,
  type AuthStrategy,
  type Awaitable,
  createTokenManager,
  fromTokenSource,
  isAuthError,
  isPromiseLike,
  type TokenSet,
  type TokenStore,
  waitFor,
} from '@authseam/core';
import type { InitialTokens } from './authorization-code-options.ts';
import { type RefreshClient, refreshTokens, type Seed } from './refresh-tokens.ts';
import { type Active, Session } from './session.ts';

/** What all sessions of one strategy share. */
export interface SessionSettings extends RefreshClient {
  readonly store: TokenStore;
  /** Store key of the default subject, and the beginning of all others. */
  readonly base: string;
  readonly random?: (() => number) | undefined;
  readonly scheme?: string | undefined;
  readonly isRejected?: AuthStrategy<TokenSet>['isRejected'] | undefined;
  readonly initialTokens?: InitialTokens | undefined;
}

/** The sessions of one strategy; the default subject is `undefined`. */
export interface Sessions {
  of(subject: string | undefined): Session;
  adopt(subject: string | undefined, tokens: TokenSet): Promise<TokenSet>;
  /** @returns What there was, and why the store may still hold it. */
  forget(subject: string | undefined): Promise<{ readonly tokens: readonly TokenSet[]; readonly failure: AuthError | undefined }>;
}

/** So many subjects are kept ready; the others' tokens lie in the store until they are asked for. */
const MOST_ACTIVE = 1_000;
/** How many are looked at for each one that comes: more than one, so that letting go keeps up. */
const LOOKED_AT = 4;
/** A store is not waited for longer, in milliseconds, to learn what is to be revoked. */
const STORE_TIMEOUT_MS = 2_000;

/** Sessions that cost nothing while nobody uses them: who was served last is ready, the rest is in the store. */
export function createSessions(settings: SessionSettings): Sessions {
  const { store, base, strategy: name } = settings;
  const active = new Map<string | undefined, Active>();
  const seed = seedOf(settings);

  const keyOf = (subject: string | undefined): string => (subject === undefined ? base : JSON.stringify([base, subject]));

  function activate(subject: string | undefined): Active {
    const known = active.get(subject);
    if (known) {
      known.wasUsed = true;
      return known;
    }
    const session = create(subject);
    active.set(subject, session);
    if (active.size > MOST_ACTIVE) letGo();
    return session;
  }

  /**
   * Lets go of who was not asked for since the last look (the "clock" of page replacement: a use costs no more than a mark). Whoever waits, or refreshes
   * in the background, stays in any case: a second manager would send the same refresh token.
   */
  function letGo(): void {
    let left = LOOKED_AT;
    for (const [subject, session] of active) {
      if (active.size <= MOST_ACTIVE || left === 0) return;
      left -= 1;
      active.delete(subject);
      const isBusy = session.waiting > 0 || session.manager.isRefreshing();
      if (isBusy || (session.wasUsed && active.size < 2 * MOST_ACTIVE)) active.set(subject, session); // its turn comes again
      session.wasUsed = false;
    }
  }

  function create(subject: string | undefined): Active {
    const { now, random, scheme, isRejected } = settings;
    const fetchToken = refreshTokens(settings, subject, subject === undefined ? seed : NO_SEED);
    const manager = createTokenManager({ key: keyOf(subject), name, store, fetchToken, now, ...(random && { random }) });
    const strategy = fromTokenSource(manager, { name, ...(scheme !== undefined && { scheme }), ...(isRejected && { isRejected }) });
    return { manager, strategy, waiting: 0, wasUsed: false };
  }

  /** Keeps a subject active while somebody waits for it. */
  function using<T>(subject: string | undefined, work: (session: Active) => Awaitable<T>): Awaitable<T> {
    const session = activate(subject);
    const result = work(session);
    if (!isPromiseLike(result)) return result;
    session.waiting += 1;
    return Promise.resolve(result).finally(() => {
      session.waiting -= 1;
    });
  }

  const keeper = { name, isRejected: settings.isRejected, using, peek: (subject: string | undefined) => active.get(subject) };

  return {
    of: (subject) => new Session(subject, keeper),
    adopt: async (subject, tokens) => using(subject, ({ manager }) => manager.adopt(tokens)),
    forget: async (subject) =>
      using(subject, async ({ manager }) => {
        const initial = subject === undefined ? seed.get() : undefined;
        if (subject === undefined) seed.spend();
        const stored = await waitFor(
          Promise.resolve().then(() => store.get(keyOf(subject))),
          { timeoutMs: STORE_TIMEOUT_MS, timeoutError: () => new Error('timeout') },
        ).catch(() => undefined); // what is in memory is forgotten all the same
        const inMemory = manager.peek();
        const failure = await manager.invalidate().then(() => undefined, unlessForeign);
        const known = stored?.entry ?? inMemory ?? initial;
        const tokens = [known, inMemory].filter((set) => set !== undefined);
        return { tokens: tokens.filter((set, at) => at === 0 || !isSameGrant(set, known)), failure };
      }),
  };
}

/** The tokens of the beginning. Who signs out does not come back with them. */
function seedOf({ initialTokens, scheme = 'Bearer' }: SessionSettings): Seed {
  let tokens: TokenSet | undefined = initialTokens && { tokenType: scheme, ...initialTokens };
  return {
    get: () => tokens,
    spend() {
      tokens = undefined;
    },
  };
}

const NO_SEED: Seed = { get: () => undefined, spend() {} };

function isSameGrant(a: TokenSet, b: TokenSet | undefined): boolean {
  return (a.refreshToken ?? a.accessToken) === (b?.refreshToken ?? b?.accessToken);
}

function unlessForeign(error: unknown): AuthError {
  if (!isAuthError(error)) throw error;
  return error;
}

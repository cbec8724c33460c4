import {
  type AuthStrategy,
  type Awaitable,
  createTokenManager,
  fromTokenSource,
  isPromiseLike,
  type TokenManager,
  type TokenSet,
  type TokenStore,
} from '@authseam/core';
import type { InitialTokens } from './authorization-code-options.ts';
import { type RefreshClient, refreshTokens } from './refresh-tokens.ts';
import { type Active, Session } from './session.ts';
import { revokeQuietly } from './sign-out.ts';

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
  forget(subject: string | undefined): ReturnType<TokenManager['forget']>;
}

/** So many subjects are kept ready; the others' tokens lie in the store until they are asked for. */
const MOST_ACTIVE = 1_000;
/** How many are looked at for each one that comes: more than one, so that letting go keeps up. */
const LOOKED_AT = 4;

/** Sessions that cost nothing while nobody uses them: who was served last is ready, the rest is in the store. */
export function createSessions(settings: SessionSettings): Sessions {
  const { store, base, strategy: name } = settings;
  const active = new Map<string | undefined, Active>();

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
   * Lets go of who was not asked for since the last look (the "clock" of page replacement: a use costs no more than a mark). Whoever waits, refreshes in
   * the background, or has a token that the store lacks stays in any case: a second manager would send the same refresh token. So does the default
   * subject, which knows whether its initial tokens are spent.
   */
  function letGo(): void {
    let left = LOOKED_AT;
    for (const [subject, session] of active) {
      if (active.size <= MOST_ACTIVE || left === 0) return;
      left -= 1;
      active.delete(subject);
      const isNeeded = subject === undefined || session.waiting > 0 || !session.manager.isSettled();
      if (isNeeded || (session.wasUsed && active.size < 2 * MOST_ACTIVE)) active.set(subject, session); // its turn comes again
      session.wasUsed = false;
    }
  }

  function create(subject: string | undefined): Active {
    const { now, random, scheme, isRejected, initialTokens } = settings;
    const initial = subject === undefined && initialTokens ? { tokenType: scheme ?? 'Bearer', ...initialTokens } : undefined;
    const manager = createTokenManager({
      key: keyOf(subject),
      name,
      store,
      initial,
      needsRefreshToken: true,
      fetchToken: refreshTokens(settings, subject),
      onDiscarded: (tokens) => revokeQuietly(settings.client, name, tokens),
      now,
      ...(random && { random }),
    });
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
    forget: async (subject) => using(subject, ({ manager }) => manager.forget()),
  };
}

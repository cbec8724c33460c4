import { type FetchTokenRequest, InteractionRequiredError, type TokenSet } from '@authseam/core';
import { type Life, pause, type World } from './world.ts';

/** An authorization server that takes each refresh token once. */
export interface SimulatedIssuer {
  /** What a person who signs in comes back with: the first tokens of a new session. */
  signIn(): IssuedTokens;
  /** Its token endpoint, as one process reaches it. */
  refresh(life: Life, { current, signal }: FetchTokenRequest): Promise<IssuedTokens>;
  /** Who sent a refresh token. */
  spentBy(refreshToken: string | undefined): Life | undefined;
  /** The answer to a refresh token was lost: it may come again, as with servers that have a grace. */
  forgive(refreshToken: string): void;
}

/** Tokens, and for how long they serve. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly lifetimeMs: number;
}

export function simulatedIssuer(world: World): SimulatedIssuer {
  const { random, story } = world;
  const spent = new Map<string, Life>();
  const forgiven = new Set<string>();
  const revoked = new Set<string>();
  let sessions = 0;
  let issues = 0;

  function issue(session: string): IssuedTokens {
    issues += 1;
    return { accessToken: `${session}/a${issues}`, refreshToken: `${session}/r${issues}`, lifetimeMs: 20_000 + random() * 20_000 };
  }

  function spend(refreshToken: string, life: Life): IssuedTokens {
    const session = sessionOf(refreshToken);
    const before = spent.get(refreshToken);
    if (before && !forgiven.has(refreshToken) && !revoked.has(session)) {
      story.blame(`${life.name} sent ${refreshToken}, which ${before.name} had sent`);
      revoked.add(session);
    }
    if (revoked.has(session)) throw new InteractionRequiredError('The refresh token was refused.', { strategy: life.name });
    spent.set(refreshToken, life);
    return issue(session);
  }

  function lose(life: Life, refreshToken: string): never {
    story.tell(life.name, `  the connection breaks off: ${refreshToken}`);
    throw new TypeError('fetch failed');
  }

  return {
    signIn() {
      sessions += 1;
      return issue(`s${sessions}`);
    },
    async refresh(life, { current, signal }) {
      const { refreshToken } = current ?? {};
      if (refreshToken === undefined) throw new InteractionRequiredError('Nobody is signed in.', { strategy: life.name });
      const { longestAnswerMs = 300, lostAnswers = 0 } = world.faults;
      const forgive = (): void => void forgiven.add(refreshToken);
      signal.addEventListener('abort', forgive);
      story.tell(life.name, `  sends ${refreshToken}`);
      await pause(life, (random() * longestAnswerMs) / 2);
      if (random() < lostAnswers / 2) lose(life, refreshToken);
      const tokens = spend(refreshToken, life);
      await pause(life, (random() * longestAnswerMs) / 2);
      if (random() < lostAnswers / 2) {
        forgive();
        lose(life, refreshToken);
      }
      signal.removeEventListener('abort', forgive);
      story.tell(life.name, `  receives ${tokens.accessToken}`);
      return tokens;
    },
    spentBy: (refreshToken) => (refreshToken === undefined ? undefined : spent.get(refreshToken)),
    forgive: (refreshToken) => void forgiven.add(refreshToken),
  };
}

/** `s2` of `s2/a7`: which sign-in a token came of. */
export function sessionOf(token: string): string {
  return token.slice(0, token.indexOf('/'));
}

/** By the clock of the process that received it. */
export function tokenSetOf({ accessToken, refreshToken, lifetimeMs }: IssuedTokens, nowMs: number): TokenSet {
  return { accessToken, tokenType: 'Bearer', refreshToken, expiresAtMs: nowMs + lifetimeMs };
}

import { type Awaitable, createTokenManager, isAuthError, type TokenManager, type TokenSet } from '@authseam/core';
import type { SignInLog } from './sign-in-log.ts';
import { type SimulatedIssuer, sessionOf, tokenSetOf } from './simulated-issuer.ts';
import type { SimulatedStore } from './simulated-store.ts';
import type { Life, World } from './world.ts';

/** What processes share. */
export interface Site {
  readonly store: SimulatedStore;
  readonly issuer: SimulatedIssuer;
  readonly signIns: SignInLog;
}

/** A process of a fleet. What it is promised is judged with each answer. */
export interface SimulatedProcess {
  /** What it waits for. */
  readonly underWay: readonly string[];
  getToken(options?: { readonly forceRefresh: boolean }): Promise<TokenSet | undefined>;
  /** An API refuses the token that it has at hand. */
  rejectToken(): Promise<void>;
  signIn(): Promise<void>;
  signOut(): Promise<void>;
  /** It is killed, and starts again with nothing in memory. */
  restart(): void;
}

/** A process that runs. */
interface Run extends Life {
  readonly tokens: TokenManager;
  /** Access tokens that it has had replaced, or could not sign out: they are not to come back. */
  readonly dropped: Set<string>;
  /** Access tokens of sign-ins that are under way. */
  readonly arriving: Set<string>;
  /** Sessions that it has ended. */
  readonly signedOut: Set<string>;
  readonly calls: Set<{ readonly what: string }>;
}

/** No limit of ours adds up to more, in milliseconds. */
const LONGEST_CALL_MS = 80_000;
/** A little less than anybody waits for one, in milliseconds. */
const LONGEST_DELETION_MS = 1_900;

/** @param skewMs By how much its clock is wrong. */
export function simulatedProcess(world: World, site: Site, name: string, skewMs: number): SimulatedProcess {
  const { story } = world;
  const { issuer, signIns, store } = site;
  const now = (): number => world.now() + skewMs;
  let starts = 0;
  let run = start();

  function start(): Run {
    starts += 1;
    const life: Life = { name: `${name}${starts}`, isOver: false };
    const tokens = createTokenManager({
      key: 'fleet',
      name: life.name,
      fetchToken: async (request) => tokenSetOf(await issuer.refresh(life, request), now()),
      store: { ...store.openedBy(life), delete: (...given) => deleting(life, store.openedBy(life).delete(...given)) },
      needsRefreshToken: true,
      now,
      random: world.random,
    });
    const known = { dropped: new Set<string>(), arriving: new Set<string>(), signedOut: new Set<string>() };
    return Object.assign(life, { tokens, ...known, calls: new Set<{ what: string }>() });
  }

  /** What `life` got for the token in the store is lost, or thrown away: that nobody else sends what is spent is more than it can see to. */
  function forgiveSpentBy(life: Life): void {
    const { refreshToken } = store.entry ?? {};
    if (refreshToken && issuer.spentBy(refreshToken) === life) issuer.forgive(refreshToken);
  }

  /** Who signs out during a refresh throws the new token away, and takes the spent one out of the store: if it can. */
  async function deleting(life: Life, deletion: Awaitable<boolean>): Promise<boolean> {
    const slow = setTimeout(() => forgiveSpentBy(life), LONGEST_DELETION_MS);
    try {
      return await deletion;
    } catch (error) {
      forgiveSpentBy(life);
      throw error;
    } finally {
      clearTimeout(slow);
    }
  }

  /** @returns `undefined`: it failed, as it may; or the process has ended. */
  async function call<T>(by: Run, what: string, work: () => Awaitable<T>): Promise<{ readonly result: T } | undefined> {
    const entry = { what: `${by.name} ${what}` };
    const sinceMs = world.now();
    by.calls.add(entry);
    story.tell(by.name, what);
    try {
      const result = await work();
      if (by.isOver) return undefined;
      story.tell(by.name, `${what}: ${(result as TokenSet | undefined)?.accessToken ?? 'done'}`);
      return { result };
    } catch (error) {
      if (!by.isOver) story.tell(by.name, `${what}: ${error}`);
      if (!isAuthError(error)) story.blame(`${by.name} was thrown what is no AuthError: ${error}`);
      return undefined;
    } finally {
      by.calls.delete(entry);
      if (world.now() - sinceMs > LONGEST_CALL_MS) story.blame(`${entry.what} took ${world.now() - sinceMs} ms`);
    }
  }

  return {
    get underWay() {
      return [...run.calls].map(({ what }) => what);
    },
    async getToken({ forceRefresh } = { forceRefresh: false }) {
      const by = run;
      const dropped = new Set(by.dropped);
      const signedOut = new Set(by.signedOut);
      const answer = await call(by, forceRefresh ? 'getToken, forced' : 'getToken', () => by.tokens.getToken({ forceRefresh }));
      if (!answer) return undefined;
      const { accessToken } = answer.result;
      const session = sessionOf(accessToken);
      if (dropped.has(accessToken)) story.blame(`${by.name} got ${accessToken}, which it had dropped`);
      if (signedOut.has(session) && by.signedOut.has(session)) story.blame(`${by.name} got ${accessToken} after its own sign-out`);
      return answer.result;
    },
    async rejectToken() {
      const by = run;
      const held = by.tokens.peek();
      // What is rejected before its own sign-in is over that brings back.
      if (!held || by.arriving.has(held.accessToken)) return;
      const answer = await call(by, `rejected ${held.accessToken}`, () => by.tokens.rejected(held));
      if (answer?.result) by.dropped.add(held.accessToken);
    },
    async signIn() {
      const by = run;
      const issued = issuer.signIn();
      const { accessToken } = issued;
      const done = signIns.begin(sessionOf(accessToken));
      by.arriving.add(accessToken);
      if (await call(by, `sign-in ${accessToken}`, () => by.tokens.adopt(tokenSetOf(issued, now())))) done();
      by.arriving.delete(accessToken);
    },
    async signOut() {
      const by = run;
      const held = by.tokens.peek();
      const ended = [store.entry, held].flatMap((set) => (set ? [sessionOf(set.accessToken)] : []));
      for (const session of ended) by.signedOut.add(session);
      const done = signIns.begin();
      if (await call(by, 'sign-out', () => by.tokens.invalidate())) return done();
      // What is still in the store another process may refresh.
      for (const session of ended) by.signedOut.delete(session);
      if (held) by.dropped.add(held.accessToken);
    },
    restart() {
      forgiveSpentBy(run);
      story.tell(run.name, 'is killed');
      run.isOver = true;
      run = start();
    },
  };
}

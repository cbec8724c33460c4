import { ConfigurationError, redactedCause } from '@authseam/core';
import type { AuthorizationTransaction } from '../authorization-transaction.ts';

/** Where sign-ins that are under way are kept: `sessionStorage`, or what works like it. */
export interface SignInStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

/** What is kept while somebody is away to sign in. */
export interface PendingSignIn {
  readonly transaction: AuthorizationTransaction;
  /** Absolute, of this origin. */
  readonly returnTo: string;
  readonly startedAtMs: number;
}

/** Each sign-in has an item of its own, so that several tabs, or clicks, do not get into each other's way. */
const PREFIX = 'authseam:sign-in:';
/** Nobody comes back after so long. Milliseconds. */
const ABANDONED_MS = 3_600_000;

/** Keeps a sign-in until its callback, and forgets those that nobody came back from. @throws {ConfigurationError} */
export function keepSignIn(given: SignInStorage | undefined, pending: PendingSignIn): void {
  withStorage(given, (storage) => {
    const names = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
    for (const name of names.filter((other) => other.startsWith(PREFIX))) {
      const startedAtMs = parsed(storage.getItem(name))?.startedAtMs ?? 0;
      if (pending.startedAtMs - startedAtMs > ABANDONED_MS) storage.removeItem(name);
    }
    storage.setItem(PREFIX + pending.transaction.state, JSON.stringify(pending));
  });
}

/** The sign-in that `state` belongs to. It is good for one callback: it is removed here, whatever comes of it. @throws {ConfigurationError} */
export function takeSignIn(given: SignInStorage | undefined, state: string): PendingSignIn | undefined {
  return withStorage(given, (storage) => {
    const text = storage.getItem(PREFIX + state);
    storage.removeItem(PREFIX + state);
    return parsed(text);
  });
}

function parsed(text: string | null): PendingSignIn | undefined {
  try {
    return JSON.parse(text ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

/** Browsers throw at the mere mention of a storage that is blocked. */
function withStorage<T>(given: SignInStorage | undefined, work: (storage: SignInStorage) => T): T {
  const strategy = 'authorizationCode';
  try {
    return work(given ?? globalThis.sessionStorage);
  } catch (error) {
    const message = `${strategy}: the sign-in cannot be remembered while the person is away: this page has no \`storage\`, or it is blocked or full. Give another one.`;
    throw Object.assign(new ConfigurationError(message, { option: 'storage', strategy }), { cause: redactedCause(error) });
  }
}

import { isAuthError } from './auth-error.ts';
import type { AuthEvent, TokenFetchedEvent, TokenStoreFailedEvent } from './auth-event.ts';
import type { StoreOperation } from './store-entry.ts';
import type { TokenSet } from './token-set.ts';
import { emitterOf } from './without-errors.ts';

/** Tells whoever caused a refresh of its steps. All of them carry the generation that it works towards. */
export interface RefreshReport {
  emit(event: AuthEvent): void;
  locked(waitedMs: number): void;
  /** @param error `undefined`: the store did not fail, but what was read is no token set, or what was to be written came second. */
  storeFailed(operation: StoreOperation, error: unknown): void;
  retried(retry: { readonly attempt: number; readonly delayMs: number; readonly code: string }): void;
  fetched(set: TokenSet, reason: TokenFetchedEvent['reason']): void;
  adopted(set: TokenSet): void;
  discarded(): void;
  failed(code: string, background: boolean): void;
}

/** Begins now. */
export function refreshReport(
  call: Parameters<typeof emitterOf>[0],
  { strategy, generation, now }: { readonly strategy: string; readonly generation: number; readonly now: () => number },
): RefreshReport {
  const facts = { strategy, generation };
  const startMs = now();
  const emit = emitterOf(call);
  const passedMs = (sinceMs: number): number => Math.max(0, now() - sinceMs);
  const times = ({ expiresAtMs, receivedAtMs }: TokenSet) => ({ expiresAtMs, receivedAtMs, tookMs: passedMs(startMs) });
  return {
    emit,
    locked: (waitedMs) => emit({ type: 'token-locked', ...facts, waitedMs }),
    storeFailed: (operation, error) => emit({ type: 'token-store-failed', ...facts, operation, ...reasonOf(operation, error) }),
    retried: (retry) => emit({ type: 'token-request-retry', ...facts, ...retry }),
    fetched: (set, reason) => emit({ type: 'token-fetched', ...facts, ...times(set), reason }),
    adopted: (set) => emit({ type: 'token-adopted', ...facts, ...times(set) }),
    discarded: () => emit({ type: 'token-discarded', ...facts, tookMs: passedMs(startMs) }),
    failed: (code, background) => emit({ type: 'token-request-failed', ...facts, code, background, tookMs: passedMs(startMs) }),
  };
}

/** Only of errors of ours: the words of others may quote what they failed to write. */
function reasonOf(operation: StoreOperation, error: unknown): Pick<TokenStoreFailedEvent, 'message' | 'code'> {
  if (error === undefined)
    return { message: operation === 'get' ? 'the entry is not a token set' : 'something else was written at the same time' };
  if (!isAuthError(error)) return { message: 'unknown' };
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  return { message: error.message, ...(typeof code === 'string' && { code }) };
}

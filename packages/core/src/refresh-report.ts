import type { AuthEvent, TokenFetchedEvent } from './auth-event.ts';
import { emitterOf } from './emit-to.ts';
import type { StoreOperation } from './store-entry.ts';
import type { TokenSet } from './token-set.ts';

/** Tells whoever caused a refresh of its steps. All of them carry the generation that it works towards. */
export interface RefreshReport {
  emit(event: AuthEvent): void;
  /** @param sinceMs When the wait for the lock began. */
  locked(sinceMs: number): void;
  storeFailed(operation: StoreOperation): void;
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
    locked: (sinceMs) => emit({ type: 'token-locked', ...facts, waitedMs: passedMs(sinceMs) }),
    storeFailed: (operation) => emit({ type: 'token-store-failed', ...facts, operation }),
    retried: (retry) => emit({ type: 'token-request-retry', ...facts, ...retry }),
    fetched: (set, reason) => emit({ type: 'token-fetched', ...facts, ...times(set), reason }),
    adopted: (set) => emit({ type: 'token-adopted', ...facts, ...times(set) }),
    discarded: () => emit({ type: 'token-discarded', ...facts, tookMs: passedMs(startMs) }),
    failed: (code, background) => emit({ type: 'token-request-failed', ...facts, code, background, tookMs: passedMs(startMs) }),
  };
}

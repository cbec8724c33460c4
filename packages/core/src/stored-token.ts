import type { Found, StoreEntry } from './store-entry.ts';
import type { TokenSet } from './token-set.ts';

/** A token, and what is known of the store's copy. */
export interface StoredToken {
  readonly set: TokenSet;
  /** Of this token in the store; `undefined` where it never got there. */
  readonly version?: string | undefined;
  /**
   * Where writing it failed: version of the entry that it should have replaced, `null` for none. An entry that still has this version is older than what
   * is in memory.
   */
  readonly outlived?: string | null | undefined;
  /** Access tokens before this one, where it is not written: a write of theirs may still arrive, and is no newer one. */
  readonly predecessors?: readonly string[] | undefined;
  /** Its refresh token was refused: it is not sent again. */
  readonly isRefused?: boolean | undefined;
}

/** Whether what stands in the store is older than what is in memory, or was refused with it. */
export function isOutlived(found: Found | undefined, token: StoredToken | undefined): boolean {
  if (token?.isRefused && found?.set && found.set.refreshToken === token.set.refreshToken) return true;
  return token?.outlived !== undefined && token.outlived === (found?.version ?? null);
}

/** Writes again what could not be written. @returns The version of what stands there now; `undefined`: it failed again, or is not wanted any more. */
export async function saveAgain(
  entry: StoreEntry,
  { set, outlived = null, predecessors = [] }: StoredToken,
  isWanted: () => boolean,
): Promise<string | undefined> {
  try {
    const found = await entry.read();
    // The first write has arrived after all, or somebody wrote or signed out since: that is newer than what is here.
    const isOlder = found?.set !== undefined && predecessors.includes(found.set.accessToken);
    if (!isOlder && (found?.version ?? null) !== outlived) return found?.version ?? 'gone';
    const onLate = (late: string): unknown => isWanted() || entry.delete(late);
    const version = await entry.write(set, found?.version ?? null, onLate);
    if (version !== false && !isWanted()) await entry.delete(version);
    return version === false ? undefined : version;
  } catch {
    return undefined;
  }
}

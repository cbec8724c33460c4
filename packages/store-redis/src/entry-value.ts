import type { TokenSet } from '@authseam/core';

/** Version of the format: `1 <version> <JSON>`. The scripts compare versions without reading the rest. */
const VALUE = /^1 ([0-9a-f-]{36}) (.*)$/s;

/** A token is kept beyond its expiry for this long, so that machines whose clocks differ still find it. Milliseconds. */
const CLOCK_DIFFERENCE_MS = 600_000;
/** Longer than anybody keeps a token, and a number that Redis takes. */
const LONGEST_MS = 100 * 365 * 24 * 3_600_000;

/** An entry, and its version. */
export interface StoredEntry {
  readonly entry: TokenSet;
  readonly version: string;
}

/** What is stored for an entry. */
export function entryValue(entry: TokenSet, version: string): string {
  return `1 ${version} ${JSON.stringify(entry)}`;
}

/** The entry that was stored; `undefined` for anything else. */
export function parseEntryValue(value: string): StoredEntry | undefined {
  const [, version = '', json = ''] = VALUE.exec(value) ?? [];
  try {
    const entry: unknown = JSON.parse(json);
    return typeof entry === 'object' && entry !== null && !Array.isArray(entry) ? { entry: entry as TokenSet, version } : undefined;
  } catch {
    return undefined; // what the parser says quotes tokens
  }
}

/**
 * For how long an entry is of use, in whole milliseconds: without a refresh token a little longer than its token. `undefined`: for ever.
 *
 * @param keepForMs What cannot be told from the entry.
 */
export function usefulForMs(entry: TokenSet, keepForMs: number | undefined, nowMs: number): number | undefined {
  const { expiresAtMs, refreshToken } = entry;
  if (refreshToken !== undefined || expiresAtMs === undefined) return keepForMs && wholeMs(keepForMs);
  // Both on the clock of who received it, whose setting then does not matter.
  const lifetimeMs = expiresAtMs - (entry.receivedAtMs ?? nowMs);
  return Number.isNaN(lifetimeMs) ? undefined : wholeMs(Math.max(lifetimeMs, 0) + CLOCK_DIFFERENCE_MS);
}

/** As Redis takes times to live. */
export function wholeMs(ms: number): number {
  return Math.ceil(Math.min(Math.max(ms, 1), LONGEST_MS));
}

import type { TokenSet } from '@authseam/core';

/** An entry as `TokenStore.get` answers it. */
export interface StoredItem {
  readonly entry: TokenSet;
  readonly version: string;
}

/** What an item says about itself. Another format is another number. */
const FORMAT = 1;

/** The text of an item. */
export function writtenItem(entry: TokenSet, version: string): string {
  return JSON.stringify({ format: FORMAT, version, entry });
}

/** The entry in an item; `undefined` where there is none, or none that can be read. */
export function readItem(text: string | null): StoredItem | undefined {
  try {
    const { format, version, entry } = JSON.parse(text ?? '{}') as Partial<StoredItem> & { format?: unknown };
    const isWhole = format === FORMAT && typeof version === 'string' && /^\S+$/.test(version) && typeof entry?.accessToken === 'string';
    return isWhole ? { entry, version } : undefined;
  } catch {
    return undefined;
  }
}

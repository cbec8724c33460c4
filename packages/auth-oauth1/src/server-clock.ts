// RFC 5849 §3.3: a server may refuse timestamps that are not its own time.

/** How far each server's clock is from ours, as far as servers have shown it. */
export interface ServerClocks {
  /** Seconds to add to our time for the server of `url`; 0 until it has refused a timestamp. */
  offsetSeconds(url: string): number;
  /** Remembers for the origin of `url` that at our time `nowSeconds` it was `serverSeconds` there. */
  learn(url: string, serverSeconds: number, nowSeconds: number): void;
}

/** Clock offsets by origin. */
export function createServerClocks(): ServerClocks {
  const offsets = new Map<string, number>();
  return {
    offsetSeconds: (url) => (offsets.size === 0 ? 0 : (offsets.get(new URL(url).origin) ?? 0)),
    learn(url, serverSeconds, nowSeconds) {
      offsets.set(new URL(url).origin, serverSeconds - nowSeconds);
    },
  };
}

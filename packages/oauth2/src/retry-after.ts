// RFC 9110 §10.2.3: Retry-After.

/** Longer is no answer to the question when to try again. */
const LONGEST_MS = 86_400_000;

/** Milliseconds that a `Retry-After` header asks to wait, from seconds or a date; `undefined` when it is missing, unreadable, past or beyond a day. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : / GMT$/.test(header) ? Date.parse(header) - nowMs : -1;
  return ms >= 0 && ms <= LONGEST_MS ? ms : undefined;
}

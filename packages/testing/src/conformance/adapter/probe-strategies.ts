import type { AuthEvent, AuthPatch, AuthRequest, AuthStrategy, Awaitable } from '../auth-strategy.ts';

/** A strategy that sends `X-Probe: <value>` and recovers from nothing. */
export function fixedProbe(value = 'fixed'): AuthStrategy {
  return probe(() => ({ headers: { 'X-Probe': value } }));
}

/** A strategy made of one function. */
export function probe(authorize: AuthStrategy['authorize'], more: Partial<AuthStrategy> = {}): AuthStrategy {
  return Object.freeze<AuthStrategy>({ name: 'probe', specVersion: 1, authorize, ...more });
}

/** A strategy that waits for ever. */
export function neverProbe(): AuthStrategy {
  return probe(() => new Promise<never>(() => {}));
}

/** A strategy whose credential is obtained once for all callers, and once more for each that is rejected. */
export interface RotatingProbe {
  readonly strategy: AuthStrategy<number>;
  /** How many credentials were asked for. */
  count(): number;
}

/**
 * Sends `X-Probe: t1`, then `t2`, …: the n-th credential that was obtained. A rejection counts only for the one that is current; all callers share one
 * refresh, which their aborts leave alone.
 *
 * @param obtain Called with n, and waited for, before the n-th is used.
 */
export function rotatingProbe(obtain: (n: number) => Awaitable<void> = () => {}): RotatingProbe {
  let asked = 0;
  let current = 0;
  let flight: Promise<number> | undefined;
  /** Why there is no successor to the current one: all who were rejected with it are told the same. */
  let failure: unknown;

  function refresh(): Promise<number> {
    flight ??= (async () => {
      const n = ++asked;
      await obtain(n);
      current = n;
      return n;
    })()
      .catch((error: unknown) => {
        failure = error;
        throw error;
      })
      .finally(() => {
        flight = undefined;
      });
    flight.catch(() => {});
    return flight;
  }

  const patchOf = (n: number): AuthPatch<number> => ({ headers: { 'X-Probe': `t${n}` }, receipt: n });
  return {
    strategy: Object.freeze<AuthStrategy<number>>({
      name: 'probe',
      specVersion: 1,
      authorize: () => (current > 0 && !flight ? patchOf(current) : refresh().then(patchOf)),
      async recover(_response, { receipt }) {
        if (receipt === current && failure && !flight) throw failure;
        if (receipt === current) await refresh();
        return true;
      },
    }),
    count: () => asked,
  };
}

/** A strategy that signs: it puts a digest of what it was shown into `X-Signature`, as {@link signatureOf} computes it for what arrived. */
export function signingProbe(readsBody: 'form' | 'bytes' = 'bytes', more: Partial<AuthStrategy> = {}): AuthStrategy {
  return probe(
    ({ method, url, headers, body }) => ({
      headers: { 'X-Signature': signatureOf({ method, url, contentType: headers.get('content-type'), body: body ?? '' }) },
    }),
    { readsBody, ...more },
  );
}

/** What of a request a signature covers. */
export interface Signable extends Pick<AuthRequest, 'method' | 'url'> {
  readonly contentType: string | null;
  readonly body: Uint8Array | string;
}

/** A readable digest of a request: what is not the same differs where it differs. */
export function signatureOf({ method, url, contentType, body }: Signable): string {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0; // FNV-1a
  return encodeURIComponent(`${method} ${url} ${contentType ?? '-'} ${bytes.length} ${hash.toString(16)}`);
}

/** An error as a strategy throws it that is built on `@authseam/core`: adapters hand it on as it is. */
export function typedError(code: string): Error & { readonly code: string; readonly strategy: string } {
  return Object.assign(new Error('probe: the token endpoint refused.'), {
    name: 'AuthError',
    code,
    strategy: 'probe',
    [Symbol.for('authseam.AuthError')]: true,
  });
}

/** Collects events. */
export function eventLog(): { readonly events: AuthEvent[]; readonly onEvent: (event: AuthEvent) => void } {
  const events: AuthEvent[] = [];
  return { events, onEvent: (event) => void events.push(event) };
}

// RFC 6749 §5.1: the successful answer of a token endpoint.
import type { TokenSet } from '@authseam/core';
import { jwtLifetimeSeconds } from './jwt-lifetime.ts';

/** Members of an answer under their standard names, in an object without a prototype. */
export type TokenFields = Readonly<Record<string, unknown>>;

/** What an answer is read with. */
export interface TokenResponseContext {
  readonly scheme: string | undefined;
  /** As requested, space-separated. */
  readonly scope: string | undefined;
  /** Where the answer tells none. */
  readonly lifetimeSeconds: number | undefined;
  /** Time of receipt. */
  readonly nowMs: number;
}

/** For how long a token is taken to live when nobody says. */
const DEFAULT_LIFETIME_SECONDS = 300;
/** Longer is for ever; `Infinity` (`1e400`) would not survive a store. */
const LONGEST_LIFETIME_SECONDS = 1e9;

/** The first member that keeps an answer from being a token response; `undefined` when it is one. */
export function misfit(fields: TokenFields, scheme: string | undefined): string | undefined {
  const { access_token: token, token_type: type } = fields;
  if (fields['error'] || fields['ok'] === false) return 'error';
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return 'access_token';
  if (scheme === undefined && !(typeof type === 'string' && /^bearer$/i.test(type))) return 'token_type';
  if (Number.isNaN(statedLifetime(fields['expires_in']))) return 'expires_in';
  return ['scope', 'refresh_token', 'id_token'].find((name) => typeof (fields[name] ?? '') !== 'string');
}

/** The token set in an answer that {@link misfit} found nothing against. A missing scope means as requested. */
export function tokenSetOf(fields: TokenFields, { scheme = 'Bearer', scope, lifetimeSeconds, nowMs }: TokenResponseContext): TokenSet {
  const accessToken = fields['access_token'] as string;
  const lifetime = statedLifetime(fields['expires_in']) ?? lifetimeSeconds ?? jwtLifetimeSeconds(accessToken, nowMs);
  const seconds = Math.min(lifetime ?? DEFAULT_LIFETIME_SECONDS, LONGEST_LIFETIME_SECONDS);
  const type = fields['token_type'];
  const optional = { scope: fields['scope'] || scope, refreshToken: fields['refresh_token'], idToken: fields['id_token'] };
  return {
    accessToken,
    tokenType: typeof type === 'string' && type ? type : scheme,
    receivedAtMs: nowMs,
    expiresAtMs: nowMs + seconds * 1000,
    // Servers write `null` and the empty string for what they do not have.
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value)),
  };
}

/** Seconds; `undefined`: not stated; NaN: not a number of seconds. */
function statedLifetime(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : (value ?? undefined);
  return seconds === undefined || (typeof seconds === 'number' && seconds >= 0) ? seconds : Number.NaN;
}

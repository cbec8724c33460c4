// RFC 9470 §3, RFC 6750 §3.1: an API that wants more than the token at hand is good for.
import { type AuthorizationHints, type AuthResponse, InteractionRequiredError, parseChallenges } from '@authseam/core';

/** What the API asks for, if a person has to sign in again or consent to more; no refresh would help. */
export interface StepUp {
  readonly error: 'insufficient_scope' | 'insufficient_user_authentication';
  readonly authorization: AuthorizationHints;
}

/** What `response` asks a person for, if it does. */
export function stepUpOf({ status, headers }: AuthResponse): StepUp | undefined {
  if (status !== 401 && status !== 403) return undefined;
  for (const { parameters } of parseChallenges(headers.get('www-authenticate'))) {
    const { error, scope, acr_values: acrValues, max_age: maxAge } = parameters;
    if (error !== 'insufficient_scope' && error !== 'insufficient_user_authentication') continue;
    const seconds = maxAge !== undefined && /^\d{1,9}$/.test(maxAge) ? Number(maxAge) : undefined;
    const hints = { scope, acrValues, maxAge: seconds };
    return { error, authorization: Object.fromEntries(Object.entries(hints).filter(([, value]) => value !== undefined && value !== '')) };
  }
  return undefined;
}

/** The error that a call with too weak a token ends in. */
export function stepUpError({ error, authorization }: StepUp, subject: string | undefined, strategy: string): InteractionRequiredError {
  const needs = error === 'insufficient_scope' ? 'more scope than was granted' : 'a stronger or more recent sign-in';
  const message = `${strategy}: the API wants ${needs} (${error}). Send the person to createAuthorizationUrl(error.authorization).`;
  return new InteractionRequiredError(message, { strategy, error, subject, authorization });
}

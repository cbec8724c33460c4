import { expectTypeOf } from 'vitest';
import { AuthError, type AuthErrors, ConfigurationError, type InteractionRequiredError, isAuthError } from './index.ts';

class PartnerError extends AuthError {
  readonly desk: number = 7;
}

declare module './auth-error.ts' {
  // As a package adds its codes; it sees `@authseam/core` there.
  interface AuthErrors {
    PARTNER_CLOSED: PartnerError;
  }
}

// A code tells the class, those that packages add included.
export function explain(error: unknown): string | number | undefined {
  if (!isAuthError(error)) return undefined;
  expectTypeOf(error).toExtend<AuthError>();
  switch (error.code) {
    case 'CONFIGURATION_ERROR':
      return error.option;
    case 'TOKEN_ENDPOINT_ERROR':
      return error.status;
    case 'INTERACTION_REQUIRED':
      return error.authorization.scope;
    case 'UNSAFE_DESTINATION':
      return error.origin;
    case 'TOKEN_STORE_ERROR':
      return error.operation satisfies 'get' | 'set' | 'delete' | 'lock' | 'release';
    case 'PARTNER_CLOSED':
      return error.desk;
    case 'AUTH_TIMEOUT':
      // @ts-expect-error of another class
      return error.option;
    // @ts-expect-error nobody has declared this code
    case 'CONFIGURATION_EROR':
      return undefined;
    default:
      expectTypeOf(error).toExtend<AuthError>();
      return error.code;
  }
}

// Comparing works as a `switch` does, and other codes can be compared as strings.
(error: unknown) => isAuthError(error) && error.code === 'CONFIGURATION_ERROR' && expectTypeOf(error.option).toBeString();
(error: unknown) => isAuthError(error) && error.code === 'AUTH_TIMEOUT' && expectTypeOf(error.strategy).toEqualTypeOf<string | undefined>();
(error: unknown) => isAuthError(error) && String(error.code) === 'SOMEBODY_ELSES';

// Asked for by code, it is the class itself.
(error: unknown) => isAuthError(error, 'INTERACTION_REQUIRED') && expectTypeOf(error).toEqualTypeOf<InteractionRequiredError>();
(error: unknown) => isAuthError(error, 'PARTNER_CLOSED') && expectTypeOf(error).toEqualTypeOf<PartnerError>();
(error: unknown) => isAuthError(error, 'AUTH_TIMEOUT') && expectTypeOf(error).toEqualTypeOf<AuthError>();
// @ts-expect-error nobody has declared this code
(error: unknown) => isAuthError(error, 'SOMEBODY_ELSES');

// What is one already stays what it is, and all of them go where an AuthError goes.
export const kept = (error: AuthError): AuthError => (isAuthError(error) ? error : new AuthError('x', { code: 'STRATEGY_FAILED' }));
(error: PartnerError) => isAuthError(error) && expectTypeOf(error.desk).toBeNumber();
(error: ConfigurationError) => isAuthError(error) && expectTypeOf(error.option).toBeString();
(error: unknown) => isAuthError(error) && error instanceof PartnerError && expectTypeOf(error.desk).toBeNumber();
(error: unknown) => isAuthError(error) && error instanceof ConfigurationError && expectTypeOf(error.option).toBeString();
expectTypeOf<AuthErrors[keyof AuthErrors]>().toExtend<AuthError>();

// Classes can be extended.
export class KeyMissing extends ConfigurationError {
  constructor() {
    super('no key', { option: 'key' });
  }
}
expectTypeOf<KeyMissing>().toExtend<ConfigurationError>();

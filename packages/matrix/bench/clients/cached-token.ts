import { createTokenManager, type TokenSource } from '@authseam/core';
import { credential } from '../contender.ts';

/** What a competent developer writes without a library: a token that is kept until shortly before it expires, or until it is rejected. */
export interface CachedToken {
  getToken(): Promise<string>;
  forget(): void;
}

export function cachedToken(): CachedToken {
  let token: string | undefined;
  let expiresAtMs = 0;
  return {
    async getToken() {
      if (token !== undefined && Date.now() < expiresAtMs - 10_000) return token;
      token = newToken();
      expiresAtMs = Date.now() + credential.lifetimeMs;
      return token;
    },
    forget() {
      token = undefined;
    },
  };
}

/** The same, ours; with its token already cached. */
export async function managedToken(): Promise<TokenSource> {
  const fetchToken = () => ({ accessToken: newToken(), tokenType: 'Bearer', expiresAtMs: Date.now() + credential.lifetimeMs });
  const manager = createTokenManager({ key: 'bench', fetchToken });
  await manager.getToken();
  return manager;
}

let generation = 0;

function newToken(): string {
  generation += 1;
  return credential.accessToken + generation;
}

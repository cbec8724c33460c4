import { type Contender, credential } from '../contender.ts';
import { nullFetch } from '../null-transport.ts';

/** What a competent developer writes without a library: a cached token, an expiry check, a header spread. */
export const handWritten: Contender = {
  name: 'hand-written',
  role: 'reference',
  async setup() {
    let token: string | undefined;
    let expiresAtMs = 0;

    async function getToken(): Promise<string> {
      if (token !== undefined && Date.now() < expiresAtMs - 10_000) return token;
      token = credential.accessToken;
      expiresAtMs = Date.now() + credential.lifetimeMs;
      return token;
    }

    return async (url, init) => nullFetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${await getToken()}` } });
  },
};

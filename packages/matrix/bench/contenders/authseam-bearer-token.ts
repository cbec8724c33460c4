import { withAuth } from '@authseam/adapter-fetch';
import { bearerToken } from '@authseam/auth-api-key';
import { createTokenManager } from '@authseam/core';
import { type Contender, credential } from '../contender.ts';
import { nullFetch } from '../null-transport.ts';

export const authseamBearerToken: Contender = {
  name: 'authseam bearerToken',
  role: 'ours',
  async setup() {
    const token = createTokenManager({
      key: 'bench',
      fetchToken: () => ({ accessToken: credential.accessToken, tokenType: 'Bearer', expiresAtMs: Date.now() + credential.lifetimeMs }),
    });
    await token.getToken();
    return withAuth(nullFetch, bearerToken({ token }));
  },
};

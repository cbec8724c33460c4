import { withAuth } from '@authseam/adapter-fetch';
import { clientCredentials } from '@authseam/auth-client-credentials';
import { type Contender, credential } from '../contender.ts';
import { nullFetch } from '../null-transport.ts';

export const authseamClientCredentials: Contender = {
  name: 'authseam clientCredentials',
  role: 'ours',
  async setup() {
    const strategy = clientCredentials({
      tokenEndpoint: 'https://login.example.com/token',
      clientId: 'bench',
      clientSecret: 'bench',
      fetch: async () =>
        Response.json({ access_token: credential.accessToken, token_type: 'Bearer', expires_in: credential.lifetimeMs / 1000 }),
    });
    await strategy.getToken();
    return withAuth(nullFetch, strategy);
  },
};

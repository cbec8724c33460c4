import { OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client';
import { type Contender, credential } from '../contender.ts';
import { nullFetch } from '../null-transport.ts';

/** Its `fetch` method is `new Request` and its middleware with the global fetch; this is the same with the null transport. */
export const badgatewayOauth2Client: Contender = {
  name: '@badgateway/oauth2-client',
  role: 'peer',
  async setup() {
    const oauth2 = new OAuth2Fetch({
      client: new OAuth2Client({ server: 'https://login.example.com/', clientId: 'bench', clientSecret: 'bench' }),
      getNewToken: async () => ({ accessToken: credential.accessToken, expiresAt: Date.now() + credential.lifetimeMs, refreshToken: null }),
      scheduleRefresh: false,
    });
    await oauth2.getAccessToken();
    const middleware = oauth2.mw();
    return (url, init) => middleware(new Request(url, init), (request) => nullFetch(request));
  },
};

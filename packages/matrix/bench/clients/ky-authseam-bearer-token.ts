import { withAuth } from '@authseam/adapter-ky';
import { bearerToken } from '@authseam/auth-api-key';
import ky, { type Options } from 'ky';
import { managedToken } from './cached-token.ts';
import { type ClientContender, home } from './client-contender.ts';
import { nullFetch } from './null-clients.ts';

export const kyAuthseamBearerToken: ClientContender<Options> = {
  name: 'authseam bearerToken',
  role: 'ours',
  recovers: true,
  async setup() {
    const strategy = bearerToken({ token: await managedToken() });
    return () => withAuth(ky.create({ prefix: home, fetch: nullFetch }), strategy);
  },
};

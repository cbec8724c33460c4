import { withAuth } from '@authseam/adapter-ky';
import { apiKey } from '@authseam/auth-api-key';
import ky, { type Options } from 'ky';
import { credential } from '../contender.ts';
import { type ClientContender, home } from './client-contender.ts';
import { nullFetch } from './null-clients.ts';

export const kyAuthseamApiKey: ClientContender<Options> = {
  name: 'authseam apiKey',
  role: 'ours',
  recovers: false,
  async setup() {
    const strategy = apiKey({ key: credential.accessToken });
    return () => withAuth(ky.create({ prefix: home, fetch: nullFetch }), strategy);
  },
};

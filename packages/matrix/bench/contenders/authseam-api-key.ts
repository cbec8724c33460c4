import { withAuth } from '@authseam/adapter-fetch';
import { apiKey } from '@authseam/auth-api-key';
import { type Contender, credential } from '../contender.ts';
import { nullFetch } from '../null-transport.ts';

export const authseamApiKey: Contender = {
  name: 'authseam apiKey',
  role: 'ours',
  setup: async () => withAuth(nullFetch, apiKey({ key: credential.accessToken })),
};

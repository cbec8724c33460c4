import ky, { type Options } from 'ky';
import { type ClientContender, home } from './client-contender.ts';
import { nullFetch } from './null-clients.ts';

export const bareKy: ClientContender<Options> = {
  name: 'bare ky',
  role: 'bare',
  recovers: false,
  setup: async () => () => ky.create({ prefix: home, fetch: nullFetch }),
};

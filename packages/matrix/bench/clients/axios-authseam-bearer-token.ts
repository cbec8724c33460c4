import { attachAuth } from '@authseam/adapter-axios';
import { bearerToken } from '@authseam/auth-api-key';
import axios, { type AxiosRequestConfig } from 'axios';
import { managedToken } from './cached-token.ts';
import { type ClientContender, home } from './client-contender.ts';
import { nullAdapter } from './null-clients.ts';

export const axiosAuthseamBearerToken: ClientContender<AxiosRequestConfig> = {
  name: 'authseam bearerToken',
  role: 'ours',
  recovers: true,
  async setup() {
    const strategy = bearerToken({ token: await managedToken() });
    return () => {
      const api = axios.create({ baseURL: home, adapter: nullAdapter });
      attachAuth(api, strategy);
      return api;
    };
  },
};

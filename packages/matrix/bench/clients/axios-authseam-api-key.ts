import { attachAuth } from '@authseam/adapter-axios';
import { apiKey } from '@authseam/auth-api-key';
import axios, { type AxiosRequestConfig } from 'axios';
import { credential } from '../contender.ts';
import { type ClientContender, home } from './client-contender.ts';
import { nullAdapter } from './null-clients.ts';

export const axiosAuthseamApiKey: ClientContender<AxiosRequestConfig> = {
  name: 'authseam apiKey',
  role: 'ours',
  recovers: false,
  async setup() {
    const strategy = apiKey({ key: credential.accessToken });
    return () => {
      const api = axios.create({ baseURL: home, adapter: nullAdapter });
      attachAuth(api, strategy);
      return api;
    };
  },
};

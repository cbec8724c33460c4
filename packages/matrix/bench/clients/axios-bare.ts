import axios, { type AxiosRequestConfig } from 'axios';
import { type ClientContender, home } from './client-contender.ts';
import { nullAdapter } from './null-clients.ts';

export const bareAxios: ClientContender<AxiosRequestConfig> = {
  name: 'bare axios',
  role: 'bare',
  recovers: false,
  setup: async () => () => axios.create({ baseURL: home, adapter: nullAdapter }),
};

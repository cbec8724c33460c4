import axios, { type AxiosError, type AxiosRequestConfig, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { cachedToken } from './cached-token.ts';
import { type ClientContender, home } from './client-contender.ts';
import { nullAdapter } from './null-clients.ts';

/** As most people write it: one interceptor that sets the header, one that gets a new token after a 401 and sends again. */
export const handWrittenAxios: ClientContender<AxiosRequestConfig> = {
  name: 'hand-written interceptors',
  role: 'hand-written',
  recovers: true,
  async setup() {
    const { getToken, forget } = cachedToken();
    await getToken();
    return () => {
      const api = axios.create({ baseURL: home, adapter: nullAdapter });
      api.interceptors.request.use(async (config) => {
        config.headers.Authorization = `Bearer ${await getToken()}`;
        return config;
      });
      api.interceptors.response.use(
        (response) => response,
        async (error: AxiosError): Promise<AxiosResponse> => {
          const config = error.config as (InternalAxiosRequestConfig & { isSecond?: boolean }) | undefined;
          if (!config || error.response?.status !== 401 || config.isSecond) throw error;
          config.isSecond = true;
          forget();
          return api(config);
        },
      );
      return api;
    };
  },
};

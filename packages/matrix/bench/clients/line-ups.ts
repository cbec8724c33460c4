import type { AxiosRequestConfig } from 'axios';
import type { Options } from 'ky';
import { axiosAuthseamApiKey } from './axios-authseam-api-key.ts';
import { axiosAuthseamBearerToken } from './axios-authseam-bearer-token.ts';
import { bareAxios } from './axios-bare.ts';
import { handWrittenAxios } from './axios-hand-written.ts';
import { item, type LineUp, path } from './client-contender.ts';
import { kyAuthseamApiKey } from './ky-authseam-api-key.ts';
import { kyAuthseamBearerToken } from './ky-authseam-bearer-token.ts';
import { bareKy } from './ky-bare.ts';
import { handWrittenHeaderKy, handWrittenKy } from './ky-hand-written.ts';

const headers = { accept: 'application/json' };

export const axiosLineUp: LineUp<AxiosRequestConfig> = {
  client: 'axios',
  contenders: [bareAxios, handWrittenAxios, axiosAuthseamBearerToken, axiosAuthseamApiKey],
  requests: { GET: [path, { headers }], POST: [path, { method: 'POST', headers, data: item }] },
};

export const kyLineUp: LineUp<Options> = {
  client: 'ky',
  contenders: [bareKy, handWrittenKy, handWrittenHeaderKy, kyAuthseamBearerToken, kyAuthseamApiKey],
  requests: { GET: [path, { headers }], POST: [path, { method: 'POST', headers, json: item }] },
};

import { oauth1 } from '@authseam/auth-oauth1';
import type { AuthContext, AuthPatch, AuthRequest } from '@authseam/core';
import { credentials, type RequestToSign, type Signer } from './sign.ts';

const strategy = oauth1(credentials);
const context: AuthContext = { now: Date.now, emit: () => {} };
const formHeaders = { get: (name: string) => (name === 'content-type' ? 'application/x-www-form-urlencoded' : null) };
const noHeaders = { get: () => null };

export const authseam: Signer = {
  name: 'authseam oauth1',
  role: 'ours',
  sign: (request) => (strategy.authorize(viewOf(request), context) as AuthPatch).headers!['Authorization']!,
};

/** The request as an adapter shows it. */
function viewOf({ method, url, form }: RequestToSign): AuthRequest {
  const plain = { method, url, headers: noHeaders, replayable: true, attempt: 1 };
  return form === undefined ? plain : { ...plain, headers: formHeaders, body: form };
}

// RFC 7523 §2.2 and §3 as RFC 10070 tightens it: client assertions. Loaded when the first one is made.
import { SignJWT } from 'jose';
import type { ClientAuth } from 'oauth4webapi';
import { importPrivateKey, type SigningKey } from './import-private-key.ts';
import type { PrivateKey } from './private-key.ts';

/** For how many seconds an assertion is good. */
const LIFETIME_SECONDS = 60;

/** Authenticates with `client_secret_jwt`: an assertion under HS256, keyed with the client secret. */
export function clientSecretJwt(secret: string, { now }: { readonly now: () => number }): ClientAuth {
  const key = new TextEncoder().encode(secret);
  return async (server, client, body) =>
    addAssertion(body, client.client_id, server.issuer, now(), { key, algorithm: 'HS256', keyId: undefined });
}

/** Authenticates with `private_key_jwt`. The key is imported once, and again when a function yields another one. */
export function privateKeyJwt(
  privateKey: PrivateKey,
  { strategy, now }: { readonly strategy: string; readonly now: () => number },
): ClientAuth {
  const signingKey = importPrivateKey(privateKey, strategy);
  return async (server, client, body) => addAssertion(body, client.client_id, server.issuer, now(), await signingKey());
}

async function addAssertion(body: URLSearchParams, clientId: string, audience: string, nowMs: number, signing: SigningKey): Promise<void> {
  const { key, algorithm: alg, keyId: kid } = signing;
  const iat = Math.floor(nowMs / 1000);
  const claims = { iss: clientId, sub: clientId, aud: audience, iat, exp: iat + LIFETIME_SECONDS, jti: crypto.randomUUID() };
  const header = { alg, typ: 'client-authentication+jwt', ...(kid !== undefined && { kid }) };
  body.set('client_id', clientId);
  body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
  body.set('client_assertion', await new SignJWT(claims).setProtectedHeader(header).sign(key));
}

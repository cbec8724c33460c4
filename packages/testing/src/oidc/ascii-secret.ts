// RFC 6749 Appendix A.2 allows VSCHAR in a client secret and oidc-provider holds to it; other servers issue secrets of any characters.
import { createHash } from 'node:crypto';
import type { ListenerRequest } from './node-listener.ts';

/** The secret under which a client is registered: itself, or a digest where it has characters that oidc-provider refuses. */
export function asciiSecret(secret: string): string {
  // A digest, because no client sends one by mistake: an escaped form would accept a secret that was encoded once too often.
  return isVschar(secret) ? secret : createHash('sha256').update(secret).digest('hex');
}

/** A token request whose client secret was replaced by its {@link asciiSecret}; any other comes back as it was. */
export function withAsciiSecret(request: ListenerRequest): ListenerRequest {
  const { authorization } = request.headers;
  if (authorization !== undefined) return { ...request, headers: { ...request.headers, authorization: withAsciiBasic(authorization) } };
  const form = new URLSearchParams(request.body.toString('utf8'));
  const secret = form.get('client_secret');
  if (secret === null || isVschar(secret)) return request;
  form.set('client_secret', asciiSecret(secret));
  const body = Buffer.from(form.toString());
  return { ...request, body, headers: { ...request.headers, 'content-length': String(body.length) } };
}

function withAsciiBasic(authorization: string): string {
  const [, credentials] = /^basic ([a-z0-9+/=]+)$/i.exec(authorization) ?? [];
  if (credentials === undefined) return authorization;
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? [];
  // A secret that was not form-encoded (RFC 6749 §2.3.1) stays as it is and is refused.
  if (id === undefined || secret === undefined || !isVschar(secret)) return authorization;
  const decoded = new URLSearchParams(`s=${secret.replaceAll('&', '%26')}`).get('s') ?? '';
  return isVschar(decoded) ? authorization : `Basic ${Buffer.from(`${id}:${asciiSecret(decoded)}`).toString('base64')}`;
}

function isVschar(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

// RFC 9126 §2, RFC 7009 §2.1: requests that a client authenticates as it does at the token endpoint.
import { ConfigurationError } from '@authseam/core';
import type { ServerEndpoints } from './authorization-server.ts';
import { endpointUrl } from './check-endpoint.ts';
import { edgeFetch } from './edge-fetch.ts';
import { refusal } from './failure.ts';
import { jsonFields } from './json-fields.ts';
import { addBasic, type GrantSettings } from './send-grant.ts';

/** Endpoints that take such a request. */
export type EndpointName = Extract<keyof ServerEndpoints, 'revocation_endpoint' | 'pushed_authorization_request_endpoint'>;

/** One of them. */
export interface AuthenticatedRequest {
  readonly endpoint: EndpointName;
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly signal?: AbortSignal | undefined;
  /** What must not show in an error: the token to revoke. */
  readonly secrets?: readonly string[];
}

/**
 * Does what `TokenEndpointClient.request` promises.
 *
 * @returns The members of the answer; none where it is no JSON.
 */
export async function sendAuthenticated(
  settings: GrantSettings,
  request: AuthenticatedRequest,
): Promise<Readonly<Record<string, unknown>>> {
  const { strategy, headers: extra, fetch, clientId, now = Date.now } = settings;
  const { endpoint, parameters, signal } = request;
  const secrets = new Set(request.secrets);
  const authenticate = await settings.authenticate(secrets);
  const metadata = await settings.server.metadata(signal);
  const url = endpointUrl(metadata[endpoint]);
  if (!url) throw new ConfigurationError(`${strategy}: the server has no usable ${endpoint}.`, { option: 'issuer', strategy });
  const body = new URLSearchParams(parameters.map(([name, value]) => [name, value]));
  const headers = new Headers({ ...extra, accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' });
  await authenticate(metadata, { client_id: clientId }, body, headers);
  // What the client proves itself with, as it stands in the request: a server may repeat that.
  secrets.add(body.get('client_assertion') ?? '');
  addBasic(secrets, headers.get('authorization'));
  const what = endpoint.replaceAll('_', ' ');
  const send = edgeFetch({ fetch, strategy, what, secrets });
  const response = await send(url.href, { method: 'POST', headers: Object.fromEntries(headers), body, ...(signal && { signal }) });
  const fields = jsonFields(await response.text());
  if (response.ok) return fields;
  throw refusal(response, fields, undefined, {
    strategy,
    what,
    endpoint: url.href,
    secrets,
    nowMs: now(),
    hasUserAgent: 'user-agent' in extra,
  });
}

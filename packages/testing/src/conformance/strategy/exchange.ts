import type { AuthContext, AuthEvent, AuthPatch, AuthRequest, AuthResponse } from '../auth-strategy.ts';

/** A request as an adapter would show it. */
export function requestOf(request: Partial<AuthRequest> & { readonly sent?: Readonly<Record<string, string>> } = {}): AuthRequest {
  const { sent = {}, ...given } = request;
  const headers = new Headers(sent);
  return {
    method: 'GET',
    url: 'https://api.example.com/items?page=2',
    replayable: true,
    attempt: 1,
    ...given,
    headers: { get: (name) => headers.get(name) },
  };
}

/** What surrounds a call; the events it reports are collected. */
export function contextOf(signal?: AbortSignal): AuthContext & { readonly events: AuthEvent[] } {
  const events: AuthEvent[] = [];
  return { now: () => Date.now(), emit: (event) => void events.push(event), events, ...(signal && { signal }) };
}

/** A response as an adapter would show it. */
export function responseOf(status: number, headers: Readonly<Record<string, string>> = {}, body = ''): AuthResponse {
  const all = new Headers(headers);
  return {
    status,
    url: 'https://api.example.com/items?page=2',
    headers: { get: (name) => all.get(name) },
    text: async () => body,
    json: async () => JSON.parse(body) as unknown,
  };
}

/** Everything that a patch puts on a request, as one text. */
export function textOf({ headers, query, cookies, form }: AuthPatch): string {
  return JSON.stringify({ headers, query, cookies, form });
}

/** Requests that differ in what strategies look at. */
export const VARIED_REQUESTS: Readonly<Record<string, () => AuthRequest>> = {
  'a GET': () => requestOf(),
  'a GET without a path': () => requestOf({ url: 'https://api.example.com/' }),
  'a URL with every kind of character': () =>
    requestOf({ url: `https://api.example.com/a%20b/%E2%9C%93;v=1?a=it%27s&a=1+2&b[]=x|y&=&c=%2f` }),
  'a form': () => requestOf({ method: 'POST', sent: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1&b=%C3%A9+x' }),
  bytes: () => requestOf({ method: 'PUT', sent: { 'content-type': 'application/octet-stream' }, body: new Uint8Array([0, 250, 13, 10]) }),
  JSON: () => requestOf({ method: 'PATCH', sent: { 'content-type': 'application/json' }, body: '{"a":[1,"é"]}' }),
  'an upload that cannot be read': () => requestOf({ method: 'POST', sent: { 'content-type': 'text/plain' }, replayable: false }),
  'a replay': () => requestOf({ attempt: 2 }),
};

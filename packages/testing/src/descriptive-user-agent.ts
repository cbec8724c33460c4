/**
 * Whether a User-Agent says who is calling. Nothing, or the bare default of a runtime or an HTTP library (`node`, `undici`, `axios/1.21.1`,
 * `Deno/2.9.6`, `node-fetch/1.0 (+https://…)`), does not; any other product, or any product named besides, does (RFC 9110 §10.1.5).
 */
export function isDescriptiveUserAgent(userAgent: string | undefined): boolean {
  const products = (userAgent ?? '').replace(/\([^()]*\)/g, ' ').split(/\s+/);
  return products.some((product) => product !== '' && !DEFAULTS.has((product.split('/')[0] ?? '').toLowerCase()));
}

const DEFAULTS: ReadonlySet<string> = new Set([
  ...['node', 'node.js', 'undici', 'bun', 'deno', 'cloudflare-workers', 'workerd'],
  ...['axios', 'ky', 'got', 'node-fetch', 'ofetch', 'node-superagent', 'superagent', 'needle', 'oauth4webapi', 'openid-client'],
  ...['curl', 'wget', 'python-requests', 'python-urllib', 'python-httpx', 'go-http-client', 'java', 'okhttp', 'postmanruntime'],
]);

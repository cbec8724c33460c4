import { expect, test } from 'vitest';
import { sdkServer } from './sdk-server.ts';

test('accepts the key in header, query or cookie', async () => {
  await using server = await sdkServer({ apiKey: 'key one+=' });
  const me = `${server.origin}/v1/me`;
  const answers = [
    await fetch(me, { headers: { 'x-api-key': 'key one+=' } }),
    await fetch(`${me}?a=1&api_key=key+one%2B%3D`),
    await fetch(me, { headers: { Cookie: 'session=1; api_key=key one+=' } }),
  ];
  for (const answer of answers) expect([answer.status, await answer.json()]).toEqual([200, { id: 'acct_1', name: 'Example account' }]);
});

test('refuses no key, a wrong one, and two that differ', async () => {
  await using server = await sdkServer({ apiKey: 'right' });
  const codeFor = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(server.origin + path, { headers });
    return [answer.status, ((await answer.json()) as { error?: { code: string } }).error?.code];
  };
  expect(await codeFor('/v1/me')).toEqual([401, 'missing_api_key']);
  expect(await codeFor('/v1/me', { 'X-API-Key': 'wrong' })).toEqual([401, 'invalid_api_key']);
  expect(await codeFor('/v1/me?api_key=wrong', { 'X-API-Key': 'right' })).toEqual([401, 'invalid_api_key']);
  expect(await codeFor('/v1/items?api_key=right&api_key=wrong')).toEqual([401, 'invalid_api_key']);
});

test('looks only where it was told to, under the names it was told', async () => {
  await using server = await sdkServer({ apiKey: 'k', accepts: ['header', 'cookie'], headerName: 'Api-Token', cookieName: 'key' });
  const status = async (query: string, headers: Record<string, string> = {}) =>
    (await fetch(`${server.origin}/v1/me${query}`, { headers })).status;
  expect(await status('?api_key=k')).toBe(401);
  expect(await status('', { 'X-API-Key': 'k' })).toBe(401);
  expect(await status('', { 'api-token': 'k' })).toBe(200);
  expect(await status('', { Cookie: 'key=k' })).toBe(200);
});

test('echoes items for every method', async () => {
  await using server = await sdkServer();
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    const body = method === 'GET' ? {} : { body: `a ${method}` };
    const answer = await fetch(`${server.origin}/v1/items?q=%7e`, { method, headers: { 'X-API-Key': server.apiKey }, ...body });
    expect(answer.status).toBe(method === 'POST' ? 201 : 200);
    expect(await answer.json()).toMatchObject({
      method,
      url: `${server.origin}/v1/items?q=%7e`,
      text: method === 'GET' ? '' : `a ${method}`,
    });
  }
});

test('rotateKey refuses the old key and returns the new one', async () => {
  await using server = await sdkServer();
  const status = async (key: string) => (await fetch(`${server.origin}/v1/me`, { headers: { 'X-API-Key': key } })).status;
  const old = server.apiKey;
  expect(await status(old)).toBe(200);
  const next = server.rotateKey();
  expect(server.apiKey).toBe(next);
  expect([await status(old), await status(next)]).toEqual([401, 200]);
});

import { AuthError } from '@authseam/core';
import { expect, test } from 'vitest';
import {
  answerWith,
  callback,
  consumerSecret,
  errorOf,
  flowOf,
  form,
  granted,
  origin,
  seen,
  startServer,
  transaction,
  verifier,
} from './fixtures/flow-server.ts';

startServer();

test('the three legs', async () => {
  const flow = flowOf();
  const { url, transaction: kept } = await flow.start({ parameters: { force_login: 'true & so' } });
  expect(url).toBe(`${origin}/authorize?lang=en&oauth_token=temporary&force_login=true%20%26%20so`);
  expect(JSON.parse(JSON.stringify(kept))).toEqual(transaction());
  const credentials = await flow.finish(callback, JSON.parse(JSON.stringify(kept)));
  expect(credentials).toEqual({
    token: 'granted',
    tokenSecret: 'canary-token-secret',
    parameters: { user_id: '7', screen_name: 'jane & co' },
  });
  expect(seen.map(({ line, body }) => line + body)).toEqual(['POST /initiate?scope=a%20b', 'POST /token']);
  expect(seen[0]?.authorization).toContain('oauth_callback="https%3A%2F%2Fapp.example.com%2Fcallback%3Fown%3D1"');
  expect(seen[0]?.authorization).not.toContain('oauth_token=');
  expect(seen[1]?.authorization).toMatch(/oauth_token="temporary".*oauth_verifier="canary-verifier"/);
  expect(seen[1]?.authorization).not.toContain('oauth_callback=');
});

test('out of band the user types the verifier in', async () => {
  const flow = flowOf({ callbackUrl: 'oob' });
  const { transaction: kept } = await flow.start();
  expect(await flow.finish(` ${verifier}\n`, kept)).toMatchObject({ token: 'granted' });
  expect(seen[0]?.authorization).toContain('oauth_callback="oob"');
  expect(seen[1]?.authorization).toContain(`oauth_verifier="${verifier}"`);
  expect(await errorOf(flow.finish(' ', kept))).toMatchObject({ code: 'OAUTH1_FLOW_MISMATCH' });
});

const callbacks: readonly [string, (where: string) => string | URL][] = [
  ['a URL', () => new URL(callback)],
  ['a path and query', () => `/callback?oauth_token=temporary&oauth_verifier=${verifier}`],
  ['another scheme', () => callback.replace('https://app', 'com.example.app://app')],
  ['with a fragment', () => `${callback}#oauth_token=other`],
  ['with a parameter in Latin-1', () => `${callback}&name=J%FCrgen&%E9=1`],
  ['with a parameter of the application called denied', () => `${callback}&denied=0`],
];
test.each(callbacks)('the callback may be %s', async (_, of) => {
  expect(await flowOf().finish(of(origin), transaction())).toMatchObject({ token: 'granted' });
});

test('method, headers, placement, realm and parameters are the caller’s', async () => {
  const common = { headers: { 'User-Agent': 'my-app/1.0' }, parameters: { x_auth_access_type: 'read' } };
  await flowOf({ ...common, method: 'GET', placement: 'query' }).start();
  expect(seen[0]?.line).toMatch(/^GET \/initiate\?scope=a%20b&oauth_consumer_key=consumer&.*x_auth_access_type=read.*oauth_signature=/);
  await flowOf({ ...common, placement: 'form', signatureMethod: 'PLAINTEXT' }).start();
  expect(seen[1]?.body).toMatch(
    /oauth_signature_method=PLAINTEXT.*&oauth_callback=https.*oauth_signature=canary%252Fconsumer%252Bsecret%26$/,
  );
  expect(seen[1]?.headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'my-app/1.0' });
  await flowOf({ ...common, realm: 'api', timestampSeconds: () => 5, nonce: () => 'n', version: false }).start();
  expect(seen[2]?.authorization).toMatch(/^OAuth realm="api", .*oauth_nonce="n", .*oauth_timestamp="5", x_auth_access_type="read"/);
});

test('the token requests go through no authenticated client', async () => {
  const sent: string[] = [];
  const bare = (url: string | URL | Request, init?: RequestInit) => {
    sent.push(String(url));
    return fetch(url, init);
  };
  const authorized = Object.assign(async () => expect.unreachable(), { [Symbol.for('authseam.fetch')]: bare });
  await flowOf({ fetch: authorized as never }).start();
  expect(sent).toHaveLength(1);
});

test('parameters of the authorization URL do not collide', async () => {
  for (const parameters of [{ oauth_token: 'x' }, { lang: 'de' }, { a: 1 }]) {
    await expect(flowOf().start({ parameters: parameters as never })).rejects.toMatchObject({ option: 'parameters' });
  }
  expect(seen).toEqual([]);
});

test('secrets may be functions; one that fails is named, and its words are not a server’s', async () => {
  await flowOf({ consumerKey: async () => 'consumer', consumerSecret: () => consumerSecret }).start();
  expect(seen[0]?.authorization).toContain('oauth_consumer_key="consumer"');
  const consumerKey = () => Promise.reject(new Error('vault is sealed'));
  const error = await errorOf(flowOf({ consumerKey }).start());
  expect(error).toBeInstanceOf(AuthError);
  expect(error).toMatchObject({
    code: 'STRATEGY_FAILED',
    message: expect.stringMatching(/`consumerKey` failed/),
    cause: { message: 'vault is sealed' },
  });
  expect(seen).toHaveLength(1);
});

test('a Headers object is read, and parameters go with both requests', async () => {
  const flow = flowOf({ headers: new Headers({ 'User-Agent': 'my-app/1.0' }), parameters: { x_vendor: 'v' } });
  const { transaction: kept } = await flow.start();
  await flow.finish(callback, kept);
  expect(seen.map(({ headers }) => headers['user-agent'])).toEqual(['my-app/1.0', 'my-app/1.0']);
  for (const { authorization } of seen) expect(authorization).toContain('x_vendor="v"');
});

test('what else an answer holds need not be UTF-8', async () => {
  answerWith((_, response) => form(response, `${new URLSearchParams(granted)}&name=J%FCrgen`));
  expect((await flowOf().finish(callback, transaction())).parameters).toMatchObject({ user_id: '7', name: 'J\ufffdrgen' });
});

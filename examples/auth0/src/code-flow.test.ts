import { withAuth } from '@authseam/adapter-fetch';
import { type OidcServer, oidcServer, type SignInOptions, signIn } from '@authseam/testing';
import { expect, test } from 'vitest';
import { codeFlow } from './main.ts';

/** A certified server, set up as a tenant is: its API has `read:messages`, and refresh tokens are for `offline_access` only. */
function tenant(): Promise<OidcServer> {
  const client = { clientId: 'native', clientAuthentication: 'none', redirectUris: ['https://app.example/callback'] } as const;
  return oidcServer({ clients: [client], apiScope: ['read:messages'] });
}

const browser = (options?: SignInOptions) => async (url: string) => (await signIn(url, options)).callbackUrl;

test('a person signs in, is known to the API by their token, and stays so when it expires', async () => {
  await using server = await tenant();
  const auth = codeFlow.auth(server);
  await codeFlow.login(auth, browser({ user: 'bob' }));
  const api = withAuth(fetch, auth);
  const whoAmIUrl = `${server.apiUrl}/api/me`;
  expect(await codeFlow.whoAmI(api, { whoAmIUrl })).toBe('bob');
  server.expireTokens();
  expect(await codeFlow.whoAmI(api, { whoAmIUrl })).toBe('bob');
  expect([server.exchanges, server.refreshes]).toEqual([1, 1]);
  const { accessToken } = await auth.getToken();
  const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
  expect(claims).toMatchObject({ aud: server.audience, sub: 'bob', scope: 'read:messages' });
});

test('who says no is not signed in', async () => {
  await using server = await tenant();
  const auth = codeFlow.auth(server);
  await expect(codeFlow.login(auth, browser({ deny: true }))).rejects.toMatchObject({ code: 'AUTHORIZATION_REFUSED' });
  await expect(codeFlow.whoAmI(withAuth(fetch, auth), { whoAmIUrl: `${server.apiUrl}/api/me` })).rejects.toMatchObject({
    code: 'INTERACTION_REQUIRED',
  });
});

test('says what the API answered when it is no success', async () => {
  await using server = await tenant();
  await expect(codeFlow.whoAmI(fetch, { whoAmIUrl: `${server.apiUrl}/api/me` })).rejects.toThrow('The API answered 401: ');
});

import { sdkServer, signIn } from '@authseam/testing';
import axios from 'axios';
import ky from 'ky';
import { expect, test } from 'vitest';
import { axiosHttp } from './axios-http.ts';
import { ExampleClient } from './example-client.ts';
import { fetchHttp } from './fetch-http.ts';
import { kyHttp } from './ky-http.ts';
import { codeFlow } from './main.ts';

const https = { fetch: fetchHttp(), axios: axiosHttp(axios.create()), ky: kyHttp(ky.create()) };
const strict = { oauth: { onlyNewestToken: true } };
const browse = async (url: string) => (await signIn(url, { user: 'bob' })).callbackUrl;

test.each(Object.entries(https))('%s: the SDK calls on behalf of who signed in, and refreshes once', async (_, http) => {
  await using server = await sdkServer(strict);
  const auth = codeFlow.auth(server);
  await codeFlow.login(auth, browse);
  const client = new ExampleClient({ auth, http, baseUrl: server.origin });
  expect((await client.me()).name).toBe('Bob Example');
  server.oauth.expireTokens();
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.me()));
  expect(new Set(answers.map(({ name }) => name))).toEqual(new Set(['Bob Example']));
  expect([server.oauth.exchanges, server.oauth.refreshes, server.oauth.familyRevoked]).toEqual([1, 1, false]);
});

test.each(Object.entries(https))('%s: who is not signed in is told so by an error of its own, and nothing is sent', async (_, http) => {
  await using server = await sdkServer(strict);
  const client = new ExampleClient({ auth: codeFlow.auth(server), http, baseUrl: server.origin });
  await expect(client.me()).rejects.toMatchObject({ name: 'InteractionRequiredError', code: 'INTERACTION_REQUIRED' });
  expect(server.requests).toEqual([]);
});

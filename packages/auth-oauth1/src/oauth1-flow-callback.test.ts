import { expect, test } from 'vitest';
import { callback, errorOf, flowOf, origin, seen, startServer, transaction, verifier } from './fixtures/flow-server.ts';

startServer();

const query = (text: string): string => `https://app.example.com/callback?${text}`;
const returns: readonly [string, string, string, RegExp, string?][] = [
  ['the token of another', query('oauth_token=other&oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /`oauth_token` of another flow/],
  [
    'a second token',
    query('oauth_token=temporary&oauth_token=other&oauth_verifier=v'),
    'OAUTH1_FLOW_MISMATCH',
    /`oauth_token` more than once/,
  ],
  ['the same token twice', query('oauth_token=temporary&oauth_token=temporary&oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /more than once/],
  [
    'an encoded second token',
    query('oauth_token=temporary&%6Fauth_token=other&oauth_verifier=v'),
    'OAUTH1_FLOW_MISMATCH',
    /more than once/,
  ],
  ['a second verifier', query('oauth_token=temporary&oauth_verifier=v&oauth_verifier=w'), 'OAUTH1_FLOW_MISMATCH', /`oauth_verifier` more/],
  ['no token', query('oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /has no `oauth_token`/],
  ['no verifier', query('oauth_token=temporary'), 'OAUTH1_FLOW_MISMATCH', /has no `oauth_verifier`/],
  ['an empty verifier', query('oauth_token=temporary&oauth_verifier='), 'OAUTH1_FLOW_MISMATCH', /has no `oauth_verifier`/],
  ['the fragment only', query('a=1#oauth_token=temporary&oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /has no `oauth_token`/],
  ['no URL', 'https://', 'OAUTH1_FLOW_MISMATCH', /is no URL/],
  ['no UTF-8', query('oauth_token=%FF&oauth_verifier=v'), 'OAUTH1_FLOW_MISMATCH', /is no URL/],
  ['a code, without oob', verifier, 'OAUTH1_FLOW_MISMATCH', /has no `oauth_token`/],
  ['denied, as X says it', query('denied=temporary'), 'OAUTH1_FLOW_DENIED', /came back without consent\. /],
  ['a refusal', query('oauth_problem=user_refused'), 'OAUTH1_FLOW_DENIED', /came back without consent \(user_refused\)/, 'user_refused'],
  [
    'a refusal with a token',
    query('oauth_token=temporary&oauth_problem=permission_denied'),
    'OAUTH1_FLOW_DENIED',
    /\(permission_denied\)/,
    'permission_denied',
  ],
  ['a refusal with the token of another', query('oauth_token=other&oauth_problem=user_refused'), 'OAUTH1_FLOW_MISMATCH', /of another flow/],
  ['a blank in the verifier', query('oauth_token=temporary&oauth_verifier=a+b'), 'OAUTH1_FLOW_MISMATCH', /blanks or control/],
  ['a line break in the verifier', query('oauth_token=temporary&oauth_verifier=a%0A'), 'OAUTH1_FLOW_MISMATCH', /blanks or control/],
  ['a refusal in words', query(`oauth_problem=%3Cb%3E${verifier}`), 'OAUTH1_FLOW_DENIED', /without consent\. /],
];
test.each(returns)('a user who comes back with %s sends nothing', async (_, back, code, words, oauthProblem) => {
  const error = await errorOf(flowOf().finish(back, transaction()));
  expect(error).toMatchObject({ name: 'OAuth1FlowError', code, step: 'authorization', endpoint: `${origin}/authorize`, oauthProblem });
  expect(error.message).toMatch(words);
  expect(seen).toEqual([]);
});

test('the transaction of another server sends nothing', async () => {
  const other = { ...transaction(), accessTokenEndpoint: 'https://other.example.com/token' };
  expect(await errorOf(flowOf().finish(callback, other))).toMatchObject({ code: 'OAUTH1_FLOW_MISMATCH' });
  for (const none of [undefined, null, {}, { ...transaction(), token: '' }, { ...transaction(), tokenSecret: 1 }]) {
    await expect(flowOf().finish(callback, none as never)).rejects.toMatchObject({ option: 'transaction' });
  }
  expect(seen).toEqual([]);
});

test('out of band, what is no code sends nothing', async () => {
  const flow = flowOf({ callbackUrl: 'oob' });
  for (const code of [undefined, null, 1234, '', 'a b', 'a\u0000b']) {
    expect(await errorOf(flow.finish(code as never, transaction()))).toMatchObject({ code: 'OAUTH1_FLOW_MISMATCH' });
  }
  expect(seen).toEqual([]);
});

// The three-legged flow of RFC 5849 §2 against a server that verifies signatures with code of its own.
import { withAuth } from '@authseam/adapter-fetch';
import { type OAuth1FlowError, type OAuth1FlowOptions, oauth1, oauth1Flow } from '@authseam/auth-oauth1';
import { type ExtraHorizonServer, extraHorizonServer, findSecret } from '@authseam/testing';
import { describe, expect, it } from 'vitest';

const callbackUrl = 'https://app.example.com/callback?own=a%20b';

function flowTo(server: ExtraHorizonServer, more: Partial<OAuth1FlowOptions> = {}) {
  const { consumerKey, consumerSecret, requestTokenEndpoint, authorizationEndpoint, accessTokenEndpoint } = server;
  return oauth1Flow({
    ...{ consumerKey, consumerSecret, requestTokenEndpoint, authorizationEndpoint, accessTokenEndpoint, callbackUrl },
    ...more,
  });
}

/** Where the user is sent back to after consenting. */
async function visit(url: string): Promise<string> {
  return (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '';
}

/** The error of `work`, which shows none of `secrets`. */
async function errorOf(work: Promise<unknown>, secrets: readonly string[]): Promise<OAuth1FlowError> {
  const error = await work.then(
    () => expect.unreachable('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(findSecret(error, secrets)).toEqual([]);
  return error as OAuth1FlowError;
}

const ways: readonly Partial<OAuth1FlowOptions>[] = [
  {},
  { placement: 'query', signatureMethod: 'HMAC-SHA256' },
  { placement: 'form', signatureMethod: 'HMAC-SHA512', version: false },
  { signatureMethod: 'PLAINTEXT', realm: 'api', parameters: { x_scope: 'read & write' } },
];

describe('the three legs', () => {
  it.each(ways)('end in a token that the API takes (%o)', async (way) => {
    await using server = await extraHorizonServer();
    const flow = flowTo(server, way);
    const { url, transaction } = await flow.start();
    const back = await visit(url);
    const { token, tokenSecret, parameters } = await flow.finish(back, JSON.parse(JSON.stringify(transaction)));
    expect(parameters).toEqual({ user_id: server.user.id });

    const { consumerKey, consumerSecret } = server;
    const api = withAuth(fetch, oauth1({ consumerKey, consumerSecret, token, tokenSecret }));
    expect(await (await api(`${server.origin}/users/v1/me`)).json()).toEqual(server.user);
    expect(server.verdicts.map(({ refusal }) => refusal)).toEqual([undefined, undefined, undefined]);
    expect(server.failures).toEqual([]);
  });

  it('work out of band', async () => {
    await using server = await extraHorizonServer();
    const flow = flowTo(server, { callbackUrl: 'oob' });
    const { url, transaction } = await flow.start();
    const page = await (await fetch(url)).text();
    const code = page.split(': ')[1] ?? '';
    expect(await flow.finish(code, transaction)).toMatchObject({ token: expect.any(String) });
  });

  it('are good for one exchange: a replay is refused, and says so', async () => {
    await using server = await extraHorizonServer({ problemReporting: 'header' });
    const flow = flowTo(server);
    const { url, transaction } = await flow.start();
    const back = await visit(url);
    const { tokenSecret } = await flow.finish(back, transaction);
    const verifier = new URL(back).searchParams.get('oauth_verifier') ?? '';
    const error = await errorOf(flow.finish(back, transaction), [server.consumerSecret, transaction.tokenSecret, tokenSecret, verifier]);
    expect(error).toMatchObject({ code: 'OAUTH1_FLOW_REFUSED', step: 'token-credentials', oauthProblem: 'token_used', status: 401 });
    expect(error.message).toMatch(/start again/);
    expect(server.tokenRequests).toBe(2);
  });
});

describe('what goes wrong says what it is', () => {
  const problems = ['header', 'body'] as const;

  it.each(problems)('an unknown consumer, told in the %s', async (problemReporting) => {
    await using server = await extraHorizonServer({ problemReporting });
    const error = await errorOf(flowTo(server, { consumerKey: 'somebody else' }).start(), [server.consumerSecret]);
    expect(error).toMatchObject({ code: 'OAUTH1_FLOW_REFUSED', oauthProblem: 'consumer_key_unknown' });
    expect(error.message).toMatch(/request token endpoint at http.*\/oauth\/initiate refused with status 401: .*Check `consumerKey`/);
  });

  it.each(problems)('a wrong consumer secret, told in the %s', async (problemReporting) => {
    await using server = await extraHorizonServer({ problemReporting });
    const wrong = 'canary-wrong-secret ';
    const error = await errorOf(flowTo(server, { consumerSecret: wrong }).start(), [server.consumerSecret, wrong]);
    expect(error).toMatchObject({ oauthProblem: 'signature_invalid', message: expect.stringMatching(/`consumerSecret` first/) });
    expect(`${error.explanation}`).toMatch(/`consumerSecret` begins or ends with a blank/);
  });

  it('a mute refusal', async () => {
    await using server = await extraHorizonServer();
    const error = await errorOf(flowTo(server, { consumerSecret: 'canary-wrong-secret' }).start(), ['canary-wrong-secret']);
    expect(error).toMatchObject({
      status: 401,
      oauthProblem: undefined,
      message: expect.stringMatching(/Check `consumerKey`, `consumerSecret`/),
    });
  });

  it('a clock that is wrong, with both times', async () => {
    await using server = await extraHorizonServer({ clockSkewSeconds: 3_600, problemReporting: 'header' });
    const { message } = await errorOf(flowTo(server).start(), [server.consumerSecret]);
    expect(message).toMatch(/timestamp_refused.*signed at .*the server's clock says .*Set the clock/);
  });

  it('a wrong verifier', async () => {
    await using server = await extraHorizonServer({ problemReporting: 'header' });
    const flow = flowTo(server);
    const { url, transaction } = await flow.start();
    const back = (await visit(url)).replace(/(oauth_verifier=)\w+/, '$1canary-verifier');
    const error = await errorOf(flow.finish(back, transaction), ['canary-verifier', transaction.tokenSecret]);
    expect(error).toMatchObject({ code: 'OAUTH1_FLOW_REFUSED', message: expect.stringMatching(/verifier of that attempt/) });
  });
});

describe('what a server gets wrong stops the flow', () => {
  it.each(['absent', 'false'] as const)('a callback that is confirmed: %s', async (callbackConfirmed) => {
    await using server = await extraHorizonServer({ threeLegged: { callbackConfirmed } });
    const error = await errorOf(flowTo(server).start(), [server.consumerSecret]);
    expect(error).toMatchObject({ code: 'OAUTH1_FLOW_BAD_ANSWER', message: expect.stringMatching(/did not confirm the callback/) });
  });

  it.each(['other', 'absent'] as const)('a callback whose token is: %s', async (callbackToken) => {
    await using server = await extraHorizonServer({ threeLegged: { callbackToken } });
    const flow = flowTo(server);
    const { url, transaction } = await flow.start();
    const error = await errorOf(flow.finish(await visit(url), transaction), [transaction.tokenSecret]);
    expect(error).toMatchObject({ code: 'OAUTH1_FLOW_MISMATCH', step: 'authorization' });
    expect(server.tokenRequests).toBe(0);
  });

  it.each(['same', 'absent'] as const)('a user who refuses (token: %s)', async (callbackToken) => {
    await using server = await extraHorizonServer({ threeLegged: { consent: 'refused', callbackToken } });
    const flow = flowTo(server);
    const { url, transaction } = await flow.start();
    const error = await errorOf(flow.finish(await visit(url), transaction), [transaction.tokenSecret]);
    expect(error).toMatchObject({ code: 'OAUTH1_FLOW_DENIED', oauthProblem: 'user_refused' });
    expect(server.tokenRequests).toBe(0);
  });

  it('faults of its token endpoint are told once, and nothing is sent again', async () => {
    await using server = await extraHorizonServer();
    const flow = flowTo(server);
    const { url, transaction } = await flow.start();
    const back = await visit(url);
    server.inject([{ at: 'token', status: 503 }]);
    const error = await errorOf(flow.finish(back, transaction), [transaction.tokenSecret]);
    expect(error).toMatchObject({ code: 'OAUTH1_FLOW_REFUSED', status: 503, message: expect.stringMatching(/Try again later/) });
    expect(server.tokenRequests).toBe(1);
    expect(await flow.finish(back, transaction)).toMatchObject({ parameters: { user_id: server.user.id } });
  });
});

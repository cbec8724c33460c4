// OAuth 1 between us and python3-oauthlib, an implementation that shares nothing with ours: it verifies what we sign, and we verify what it signs.
import { generateKeyPairSync } from 'node:crypto';
import { type OAuth1Options, oauth1, type SignatureMethod } from '@authseam/auth-oauth1';
import { extraHorizonServer } from '@authseam/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import {
  hasOauthlib,
  type OauthlibRequest,
  type OauthlibServer,
  type OauthlibVerdict,
  oauthlibAnswers,
  oauthlibServer,
} from './fixtures/oauthlib.ts';
import { type BodyKind, signableRequests } from './fixtures/signable-requests.ts';

const METHODS: readonly SignatureMethod[] = [
  ...(['HMAC-SHA1', 'HMAC-SHA256', 'HMAC-SHA512', 'RSA-SHA1', 'RSA-SHA256', 'RSA-SHA512'] as const),
  'PLAINTEXT',
];
const PLACEMENTS = ['header', 'query', 'form'] as const;
const KINDS: readonly BodyKind[] = ['no body', 'query', 'form', 'JSON'];

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();

const odd = { consumerKey: 'key+/= é', consumerSecret: 'secret & + % é 日本', token: 'token/+==', tokenSecret: 'it\'s & % "~"' };
/** oauthlib decodes `oauth_*` twice where they stand in a query or a form: there, no value may have anything left to decode. */
const plain = { consumerKey: 'plain-key', consumerSecret: 'plain-secret', token: 'plain-token', tokenSecret: 'plain-token-secret' };

const isThere = hasOauthlib();
let server: OauthlibServer;

beforeAll(async () => {
  if (!isThere) return;
  const consumers = { [odd.consumerKey]: odd, [plain.consumerKey]: plain };
  server = await oauthlibServer({
    consumers: Object.fromEntries(Object.entries(consumers).map(([key, { consumerSecret: secret }]) => [key, { secret, publicKey }])),
    tokens: { [odd.token]: odd.tokenSecret, [plain.token]: plain.tokenSecret },
  });
});
beforeEach((context) => {
  if (!isThere) context.skip('needs python3-oauthlib');
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

function strategyFor(signatureMethod: SignatureMethod, placement: (typeof PLACEMENTS)[number], more: Partial<OAuth1Options> = {}) {
  const credentials = placement === 'header' ? odd : plain;
  const isRsa = signatureMethod.startsWith('RSA');
  return oauth1({ ...credentials, signatureMethod, placement, ...(isRsa && { privateKey }), ...more });
}

describe.each(adapters)('$name', (adapter) => {
  let count = 0;

  describe.each(METHODS)('%s', (signatureMethod) => {
    const cases = PLACEMENTS.flatMap((placement) => KINDS.map((kind) => ({ placement, kind })));
    it.each(cases.filter(({ placement, kind }) => placement !== 'form' || kind !== 'JSON'))(
      'oauthlib verifies $kind with the parameters in the $placement',
      async ({ placement, kind }) => {
        const seed = METHODS.indexOf(signatureMethod) * 100 + PLACEMENTS.indexOf(placement) * 10 + KINDS.indexOf(kind);
        const requests = signableRequests(kind, placement === 'form', 4, seed);
        const isHashed = kind === 'JSON' && signatureMethod !== 'PLAINTEXT';
        // Beside a realm in the header, oauthlib overlooks parameters of that name.
        const hasRealm = placement === 'header' && !requests.some(({ target, request }) => `${target} ${request.body}`.includes('realm'));
        const options = { ...(isHashed && { bodyHash: true }), ...(hasRealm && { realm: 'a "realm", b' }) };
        const call = adapter.attach(strategyFor(signatureMethod, placement, options));
        const refused: object[] = [];
        for (const { target, request } of requests) {
          const { status, text } = await call(server.origin + target, request);
          count += 1;
          if (status !== 200) refused.push({ target, ...request, body: `${request.body ?? ''}`, text });
        }
        expect(refused).toEqual([]);
      },
    );
  });

  it('that were more than 200 requests', () => {
    expect(count).toBeGreaterThan(200);
  });

  it.each(PLACEMENTS)('oauthlib refuses a replay, and takes the next nonce: %s', async (placement) => {
    const nonces = ['used-once', 'used-once', 'another'].map((nonce) => `${nonce}-${placement}`);
    const strategy = strategyFor('HMAC-SHA256', placement, { nonce: () => `${nonces.shift()}`, timestampSeconds: () => started });
    const started = Math.floor(Date.now() / 1000);
    const call = adapter.attach(strategy);
    const answers: { status: number; text: string }[] = [];
    for (let index = 0; index < 3; index++) answers.push(await call(`${server.origin}/items?a=1`, { method: 'POST' }));
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200]);
    expect(JSON.parse(answers[1]!.text)).toMatchObject({ why: 'replay' });
  });

  it.each(METHODS)('oauthlib refuses %s with a wrong secret or key', async (signatureMethod) => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const wrong = signatureMethod.startsWith('RSA') ? { privateKey: other } : { tokenSecret: 'wrong' };
    const { status, text } = await adapter.attach(strategyFor(signatureMethod, 'header', wrong))(`${server.origin}/items?a=1`);
    const verdict = JSON.parse(text) as OauthlibVerdict;
    expect([status, verdict.valid]).toEqual([401, false]);
    expect(verdict.why).toContain("'signature': False");
  });
});

describe("oauthlib's client", () => {
  const types = { header: 'AUTH_HEADER', query: 'QUERY', form: 'BODY' } as const;
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const json = { 'Content-Type': 'application/json' };

  it.each(METHODS)('is verified by our server: %s', async (signature_method) => {
    await using extraHorizon = await extraHorizonServer({ consumerSecret: odd.consumerSecret, publicKey });
    const { origin } = extraHorizon;
    const requests: OauthlibRequest[] = Object.values(types).flatMap((signature_type) => {
      const client = { signature_type };
      const withForm = { method: 'POST', url: `${origin}/echo/form?b=2&a=%C3%A9+%2B`, headers: form, body: 'a=1+%2B&a=&c=%E6%97%A5&d=%26' };
      if (signature_type === 'BODY') return [{ ...withForm, client }];
      // In a query, oauthlib writes all of it anew, and RQL is RQL no more.
      const rql = ['eq(firstName,Jane)&limit(10,0)', "in(lastName,O'Neil%2C%20Jr.,Example)"];
      const users = signature_type === 'QUERY' ? [] : rql.map((query) => `${origin}/users/v1/?${query}`);
      return [`${origin}/users/v1/me`, ...users, `${origin}/echo/form?a=&a=%7E&a=+x&z`]
        .map((url): OauthlibRequest => ({ method: 'GET', url, client }))
        .concat({ ...withForm, client }, { method: 'PUT', url: `${origin}/echo/json`, headers: json, body: '{"é":1}', client });
    });
    // oauthlib always hashes bodies with SHA-1, which only the SHA-1 methods and PLAINTEXT go with.
    const isOtherHash = /SHA(256|512)$/.test(signature_method);
    const client = {
      client_key: extraHorizon.consumerKey,
      client_secret: extraHorizon.consumerSecret,
      resource_owner_key: extraHorizon.token,
      resource_owner_secret: extraHorizon.tokenSecret,
      signature_method,
      rsa_key: privateKey,
    };
    const answers = await oauthlibAnswers(client, requests);
    const expected = requests.map(({ headers }) => (headers === json && isOtherHash ? 401 : 200));
    expect(answers.map(({ status }) => status)).toEqual(expected);
    for (const { refusal } of extraHorizon.verdicts) if (refusal) expect(refusal.detail).toContain('oauth_body_hash');
    expect(new Set(extraHorizon.verdicts.map(({ placement }) => placement))).toEqual(new Set(PLACEMENTS));
  });

  it('cannot replay a request, nor change its secret', async () => {
    await using extraHorizon = await extraHorizonServer();
    const { consumerKey: client_key, consumerSecret: client_secret, token, tokenSecret } = extraHorizon;
    const request = { method: 'GET', url: `${extraHorizon.origin}/users/v1/me` };
    const again = { ...request, client: { nonce: 'the-same', timestamp: `${Math.floor(Date.now() / 1000)}` } };
    const wrong = { ...request, client: { resource_owner_secret: 'wrong' } };
    const client = { client_key, client_secret, resource_owner_key: token, resource_owner_secret: tokenSecret };
    const answers = await oauthlibAnswers(client, [request, again, again, wrong]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 401]);
    expect(extraHorizon.verdicts.map(({ refusal }) => refusal?.problem)).toEqual([undefined, undefined, 'nonce_used', 'signature_invalid']);
  });

  it('gets temporary credentials, consent and a token', async () => {
    await using extraHorizon = await extraHorizonServer();
    const client = { client_key: extraHorizon.consumerKey, client_secret: extraHorizon.consumerSecret };
    const post = async (url: string, more: object) => {
      const [answer] = await oauthlibAnswers({ ...client, ...more }, [{ method: 'POST', url }]);
      const fields = new URLSearchParams(answer!.text);
      return { resource_owner_key: fields.get('oauth_token')!, resource_owner_secret: fields.get('oauth_token_secret')! };
    };
    const temporary = await post(extraHorizon.requestTokenEndpoint, { callback_uri: 'https://app.example.com/done?a=é b' });
    const consent = await fetch(`${extraHorizon.authorizationEndpoint}?oauth_token=${temporary.resource_owner_key}`, {
      redirect: 'manual',
    });
    const verifier = new URL(consent.headers.get('location')!).searchParams.get('oauth_verifier')!;
    const granted = await post(extraHorizon.accessTokenEndpoint, { ...temporary, verifier });
    const [me] = await oauthlibAnswers({ ...client, ...granted }, [{ method: 'GET', url: `${extraHorizon.origin}/users/v1/me` }]);
    expect([me!.status, JSON.parse(me!.text)]).toEqual([200, extraHorizon.user]);
  });
});

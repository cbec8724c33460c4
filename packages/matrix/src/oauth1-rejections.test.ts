// OAuth 1 after a rejection: other credentials, a clock that is wrong, or nothing new to try. Over real sockets.
import type { OAuth1Options } from '@authseam/auth-oauth1';
import type { AuthStrategy } from '@authseam/core';
import { type ExtraHorizonServer, type ExtraHorizonServerOptions, extraHorizonServer, type TransformFault } from '@authseam/testing';
import { describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import { errorOf, form, nonces, PLACEMENTS, problems, strategyFor } from './fixtures/oauth1-subject.ts';

describe.each(adapters)('$name', (adapter) => {
  describe('after a rejection', () => {
    /** Secrets from a vault that holds another pair as soon as the old one was refused. */
    function rotating(server: ExtraHorizonServer, more: Partial<OAuth1Options> = {}): AuthStrategy {
      let pair: { token: string; tokenSecret: string } = server;
      const transform: TransformFault['transform'] = (answer) => {
        pair = server.issueToken();
        return answer;
      };
      server.inject({ at: 'api', transform });
      return strategyFor(server, { token: () => pair.token, tokenSecret: async () => pair.tokenSecret, ...more });
    }

    const isRejected: NonNullable<OAuth1Options['isRejected']> = async (response) => {
      const { code } = (await response.json()) as { code?: number };
      return code === 117 || code === 118;
    };

    it.each(PLACEMENTS)('a rotated token replays the request, once, with a new nonce: %s', async (placement) => {
      await using server = await extraHorizonServer();
      const call = adapter.attach(rotating(server, { placement }));
      server.expireTokens();
      expect(await call(`${server.origin}/echo/form?x=1`, form)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['token_expired', undefined]);
      expect(new Set(nonces(server)).size).toBe(2);
      const bodies = server.requests.map(({ text }) => text.replace(/&oauth_.*/, ''));
      expect(bodies).toEqual([form.body, form.body]);
    });

    it.each([400, 401, 403] as const)('Extra Horizon says %i with code 118: isRejected tells', async (status) => {
      await using server = await extraHorizonServer({ tokenRefusal: { status, code: 118 } });
      const call = adapter.attach(rotating(server, { isRejected }));
      server.revokeTokens();
      expect(await call(`${server.origin}/users/v1/me`)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['token_revoked', undefined]);
      expect(new Set(nonces(server)).size).toBe(2);
    });

    it.each([400, 401, 403] as const)('with nothing new to try, the %i reaches the caller whole', async (status) => {
      await using server = await extraHorizonServer({ tokenRefusal: { status } });
      server.expireTokens();
      const answer = await adapter.attach(strategyFor(server, { isRejected }))(`${server.origin}/users/v1/me`);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([status, expect.objectContaining({ code: 118 })]);
      expect(server.requests).toHaveLength(1);
    });

    it('every retry of the caller is signed anew', async () => {
      await using server = await extraHorizonServer();
      const call = adapter.attach(strategyFor(server));
      server.inject({ at: 'api', transform: (answer) => ({ ...answer, status: 503 }), times: 3 });
      for (let attempt = 0; attempt < 4; attempt++) await call(`${server.origin}/users/v1/me`);
      expect(problems(server)).toEqual(Array(4).fill(undefined));
      expect(new Set(nonces(server)).size).toBe(4);
    });
  });

  describe('a clock that is wrong', () => {
    const skews: readonly ExtraHorizonServerOptions[] = [600, -600].flatMap((clockSkewSeconds) =>
      (['header', 'body'] as const).map((problemReporting) => ({ clockSkewSeconds, problemReporting })),
    );

    it.each(skews)('by $clockSkewSeconds s heals with one retry, and stays healed ($problemReporting)', async (options) => {
      await using server = await extraHorizonServer(options);
      const call = adapter.attach(strategyFor(server));
      for (let index = 0; index < 3; index++) expect(await call(`${server.origin}/users/v1/me`)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['timestamp_refused', undefined, undefined, undefined]);
      expect(new Set(nonces(server)).size).toBe(4);
    });

    it('heals as well when the server refuses it with 400, as Magento does', async () => {
      await using server = await extraHorizonServer({ clockSkewSeconds: 600, problemReporting: 'body' });
      const transform: TransformFault['transform'] = (answer) => ({
        ...answer,
        status: answer.status === 401 ? 400 : (answer.status ?? 200),
      });
      server.inject({ at: 'api', transform, times: 2 });
      expect(await adapter.attach(strategyFor(server))(`${server.origin}/users/v1/me`)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['timestamp_refused', undefined]);
    });

    it('heals for 20 calls at once', async () => {
      await using server = await extraHorizonServer({ clockSkewSeconds: 600, problemReporting: 'header' });
      const call = adapter.attach(strategyFor(server));
      const answers = await Promise.all(Array.from({ length: 20 }, () => call(`${server.origin}/users/v1/me`)));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      expect(server.requests.length).toBeLessThanOrEqual(40);
    });

    it('heals again when the server changes its clock', async () => {
      let skewMs = 600_000;
      await using server = await extraHorizonServer({ now: () => Date.now() + skewMs, problemReporting: 'header' });
      const call = adapter.attach(strategyFor(server));
      await call(`${server.origin}/users/v1/me`);
      skewMs = 0;
      expect(await call(`${server.origin}/users/v1/me`)).toMatchObject({ status: 200 });
      expect(problems(server)).toEqual(['timestamp_refused', undefined, 'timestamp_refused', undefined]);
    });

    it.each([
      ['says our own time', () => new Date().toUTCString()],
      ['says nothing', () => 'never'],
    ])('and a Date that %s: the error names the clock', async (_, date) => {
      await using server = await extraHorizonServer({ clockSkewSeconds: 600, problemReporting: 'header' });
      const transform: TransformFault['transform'] = (answer) => ({ ...answer, headers: { ...answer.headers, Date: date() } });
      server.inject({ at: 'api', transform, times: Number.POSITIVE_INFINITY });
      const error = await errorOf(adapter.attach(strategyFor(server))(`${server.origin}/users/v1/me`));
      expect(error).toMatchObject({ name: 'OAuth1Error', oauthProblem: 'timestamp_refused', message: expect.stringMatching(/clock/i) });
      expect(server.requests).toHaveLength(1);
    });
  });
});

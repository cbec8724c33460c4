// OAuth 1 along redirects: signed anew at home, and gone abroad. Over real sockets.
import { type EchoServer, echoServer, extraHorizonServer, findSecret, type ReceivedRequest, type TransformFault } from '@authseam/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import { errorOf, form, nonces, PLACEMENTS, problems, strategyFor } from './fixtures/oauth1-subject.ts';

const STATUSES = [301, 302, 303, 307, 308] as const;

/** All that arrived, as one text: request line, headers and body. */
function wire(requests: readonly ReceivedRequest[]): string {
  return requests.map(({ method, url, rawHeaders, text }) => [method, url, ...rawHeaders, text].join('\n')).join('\n');
}

/** Redirects whoever was let in, repeating the query. */
function redirect(status: number, to: string): TransformFault {
  const transform: TransformFault['transform'] = (answer, { query }) =>
    (answer.status ?? 200) === 200 ? { status, headers: { Location: `${to}?${query}` } } : answer;
  return { at: '/echo/form', transform };
}

describe.each(adapters)('$name', (adapter) => {
  describe.each(PLACEMENTS)('redirects, with the parameters in the %s', (placement) => {
    let away: EchoServer;
    beforeAll(async () => {
      away = await echoServer();
    });
    afterAll(async () => {
      await away.close();
    });

    it.each(STATUSES)('%i within the origin arrives signed anew', async (status) => {
      await using server = await extraHorizonServer();
      for (const request of [{ method: 'DELETE' }, { method: 'POST' }, form]) {
        const becomesGet = status === 303 || (status < 303 && request.method === 'POST');
        if (becomesGet && placement === 'form') continue;
        server.inject(redirect(status, '/echo/form'));
        const answer = await adapter.attach(strategyFor(server, { placement }))(`${server.origin}/echo/form?x=1`, request);
        expect(answer.status).toBe(200);
        const [first, second] = server.requests.slice(-2);
        expect([first?.method, second?.method]).toEqual([request.method, becomesGet ? 'GET' : request.method]);
      }
      expect(problems(server).filter((problem) => problem !== undefined)).toEqual([]);
      expect(new Set(nonces(server)).size).toBe(server.requests.length);
      for (const { url } of server.requests) expect(url.split('oauth_nonce')).toHaveLength(placement === 'query' ? 2 : 1);
    });

    it.each(STATUSES)('%i to another origin arrives without a trace', async (status) => {
      await using server = await extraHorizonServer();
      away.clearRequests();
      for (const request of [{ method: 'DELETE' }, { method: 'POST' }, form]) {
        server.inject(redirect(status, `${away.origin}/landed`));
        const answer = await adapter.attach(strategyFor(server, { placement }))(`${server.origin}/echo/form?x=1`, request);
        expect(answer).toMatchObject({ status: 200, ...(answer.url !== undefined && { url: `${away.origin}/landed?x=1` }) });
      }
      const { consumerKey, consumerSecret, token, tokenSecret } = server;
      const signatures = server.verdicts.flatMap(({ parameters }) => [parameters['oauth_signature'], parameters['oauth_nonce']]);
      const secrets = [consumerKey, consumerSecret, token, tokenSecret, ...signatures].filter((secret) => secret !== undefined);
      expect(problems(server)).toEqual([undefined, undefined, undefined]);
      expect(findSecret(wire(server.requests), secrets)).not.toEqual([]);
      expect(away.requests).toHaveLength(3);
      expect(findSecret(wire(away.requests), secrets)).toEqual([]);
      expect(wire(away.requests)).not.toMatch(/oauth/i);
    });
  });

  it.each([301, 302, 303])('a form cannot sign the GET that a %i makes of a POST: an error, and nothing is sent', async (status) => {
    await using server = await extraHorizonServer();
    server.inject(redirect(status, '/echo/form'));
    const error = await errorOf(adapter.attach(strategyFor(server, { placement: 'form' }))(`${server.origin}/echo/form`, form));
    expect(error).toMatchObject({ name: 'ConfigurationError', message: expect.stringMatching(/form/i) });
    expect(server.requests).toHaveLength(1);
  });
});

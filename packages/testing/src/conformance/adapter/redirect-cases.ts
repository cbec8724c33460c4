import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat, rejectionOf } from '../expectation.ts';
import { type AdapterSubject, needs } from './adapter-subject.ts';
import { eventLog, fixedProbe, probe, rotatingProbe, signatureOf, signingProbe } from './probe-strategies.ts';
import { acceptOnly, comparable, onServer, onTwoServers, redirectTo } from './servers.ts';

/** Redirects, hop by hop. What each kind of credential does on them is a pairing with a strategy. */
export const redirectCases: readonly ConformanceCase<AdapterSubject>[] = [
  ...([301, 302, 303, 307, 308] as const).map(
    (status): ConformanceCase<AdapterSubject> => ({
      name: `a ${status} is followed as the client follows it: method, body, headers, and what the answer says of it`,
      skip: needs('redirects'),
      run: ({ attach, bare, cannot }) =>
        onTwoServers(async (home, other) => {
          for (const [target, arrived] of [
            ['/landed?x=1', home],
            [`${other.origin}/landed?x=1#part`, other],
          ] as const) {
            for (const method of ['GET', 'POST', 'PUT', 'HEAD']) {
              for (const server of [home, other]) server.clearRequests();
              const body = {
                body: 'a=1',
                headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Kept': '1', Authorization: 'Mine 1', Cookie: 'mine=1' },
              };
              const request = {
                method,
                ...(method === 'POST' || method === 'PUT' ? body : { headers: { 'X-Kept': '1', Authorization: 'Mine 1' } }),
              };
              const without = await bare()(home.origin + redirectTo(target, status), request);
              const ours = await attach(fixedProbe())(home.origin + redirectTo(target, status), request);
              const [bareHop, ourHop] = arrived.requests.filter(({ path }) => path === '/landed');
              expectEqual(comparable(ourHop, ['x-probe', 'referer']), comparable(bareHop, ['referer']), `what arrives of a ${method}`);
              expectEqual(
                [ours.status, ours.redirected, ours.url],
                [without.status, without.redirected, without.url],
                `status, redirected and URL of a ${method}`,
              );
              expectThat(ours.url !== undefined || cannot?.finalUrl !== undefined, 'the final URL, or `cannot.finalUrl` with the reason');
            }
          }
        }),
    }),
  ),
  {
    name: 'each hop is signed for itself: method, URL and body as they are then',
    skip: needs('redirects'),
    run: ({ attach }) =>
      onServer(async (server) => {
        for (const status of [302, 307]) {
          server.clearRequests();
          await attach(signingProbe())(server.origin + redirectTo("/landed?x=it's&y=é", status), { method: 'POST', body: 'text' });
          for (const { method, url, headers, body } of server.requests) {
            const expected = signatureOf({ method, url, contentType: headers['content-type'] ?? null, body });
            expectEqual(headers['x-signature'], expected, `the signature of the hop ${method} ${url}`);
          }
          expectEqual(server.requests.length, 2, 'requests');
        }
      }),
  },
  {
    name: 'a rejection after a redirect is recovered from, and only that hop is replayed',
    skip: needs('redirects'),
    run: ({ attach }) =>
      onServer(async (server) => {
        const { strategy, count } = rotatingProbe();
        server.inject({ ...acceptOnly('t2'), at: '/landed' });
        const answer = await attach(strategy)(server.origin + redirectTo('/landed', 307), { method: 'POST', body: 'text' });
        expectEqual(answer.status, 200, 'the status');
        expectEqual(
          server.requests.map(({ path, text }) => `${path} ${text}`),
          ['/redirect/307 text', '/landed text', '/landed text'],
          'the requests',
        );
        expectEqual(count(), 2, 'credentials');
      }),
  },
  {
    name: 'a 401 from another origin is the answer, and causes no refresh',
    skip: needs('redirects'),
    run: ({ attach }) =>
      onTwoServers(async (home, other) => {
        const { strategy, count } = rotatingProbe();
        other.inject({ status: 401, body: 'not you' });
        const answer = await attach(strategy)(home.origin + redirectTo(`${other.origin}/landed`));
        expectEqual(
          [answer.status, answer.text, count(), other.requests.length],
          [401, 'not you', 1, 1],
          'status, body, credentials, requests',
        );
      }),
  },
  {
    name: 'an origin that is named gets the credential of a redirect; one that is not goes bare, with an event',
    skip: needs('redirects'),
    run: ({ attach }) =>
      onTwoServers(async (home, other) => {
        const { events, onEvent } = eventLog();
        const target = home.origin + redirectTo(`${other.origin}/landed`);
        await attach(fixedProbe(), { origins: [home.origin, other.origin] })(target);
        await attach(fixedProbe(), { origins: home.origin, onEvent })(target);
        await attach(fixedProbe(), { onEvent })(target);
        expectEqual(
          other.requests.map(({ headers }) => headers['x-probe']),
          ['fixed', undefined, undefined],
          'the credentials at the other origin',
        );
        const wanted = { type: 'request-bare', strategy: 'probe', origin: other.origin, reason: 'redirect' };
        expectEqual(events, [wanted, wanted], 'events');
      }),
  },
  {
    name: 'a chain that leaves and comes back stays bare, as the client itself would leave it',
    skip: needs('redirects'),
    run: ({ attach }) =>
      onTwoServers(async (home, other) => {
        const away = other.origin + redirectTo(`${home.origin}/back`, 307);
        const answer = await attach(fixedProbe())(home.origin + redirectTo(away, 307), { method: 'POST', body: 'hello' });
        expectEqual([answer.status, home.requests.length], [200, 2], 'status and requests at home');
        const [first, back] = home.requests;
        expectEqual(
          [first?.headers['x-probe'], back?.headers['x-probe'], other.requests[0]?.headers['x-probe']],
          ['fixed', undefined, undefined],
          'the credentials',
        );
        expectEqual([back?.method, back?.path, back?.text], ['POST', '/back', 'hello'], 'what comes back');
      }),
  },
  {
    name: "the caller's own Authorization and Cookie are stripped like the client strips them, its other headers kept",
    skip: needs('redirects'),
    run: ({ attach, bare }) =>
      onTwoServers(async (home, other) => {
        const headers = { Authorization: 'Caller 1', Cookie: 'mine=1', 'X-Other': 'kept' };
        for (const call of [bare(), attach(fixedProbe())]) await call(home.origin + redirectTo(`${other.origin}/landed`), { headers });
        const [without, ours] = other.requests;
        expectEqual(comparable(ours, ['referer']), comparable(without, ['referer']), 'what arrives at the other host');
        expectEqual(
          [ours?.headers['authorization'], ours?.headers['cookie'], ours?.headers['x-other']],
          [undefined, undefined, 'kept'],
          'the headers',
        );
      }, 'localhost'),
  },
  {
    name: 'as many redirects are followed as the client follows, and one more is an error',
    skip: needs('redirects'),
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        server.inject({ at: 'redirect', status: 302, headers: { Location: '/redirect/302' }, times: 200 });
        const without = (await rejectionOf(bare()(`${server.origin}/redirect/302`), 'the call without us')) as { code?: unknown };
        const hops = server.requests.length;
        const error = (await rejectionOf(attach(fixedProbe())(`${server.origin}/redirect/302`), 'the call')) as { code?: unknown };
        expectEqual(server.requests.length - hops, hops, 'requests');
        if (error.code !== 'TOO_MANY_REDIRECTS') expectEqual(error.code, without.code ?? 'TOO_MANY_REDIRECTS', 'the `code`');
      }),
  },
  {
    name: 'a one-shot stream that a 307 asks for again is a typed error, never an empty body',
    skip: needs('redirects', 'streams'),
    run: ({ attach }) =>
      onServer(async (server) => {
        const body = new Blob(['one shot']).stream();
        const outcome = await attach(fixedProbe())(server.origin + redirectTo('/landed', 307), { method: 'POST', body }).catch(
          (error: unknown) => error,
        );
        const landed = server.requests.filter(({ path }) => path === '/landed').map(({ text }) => text);
        // A client that keeps what it sends may send it again.
        if (landed.length > 0) return expectEqual(landed, ['one shot'], 'what arrives at the target');
        expectThat(outcome instanceof Error, 'an error');
        expectEqual((outcome as { code?: unknown }).code, 'BODY_NOT_REPLAYABLE', 'its `code`');
      }),
  },
  {
    name: 'a Location with a user name, or that is no http URL, is an error, and nothing is sent on',
    skip: needs('redirects'),
    run: ({ attach }) =>
      onServer(async (server) => {
        for (const location of [
          server.origin.replace('//', '//user:planted-password@'),
          'javascript:alert(1)',
          'file:///etc/hosts',
          'http://',
        ]) {
          server.clearRequests();
          server.inject({ status: 302, headers: { Location: location } });
          const error = await rejectionOf(attach(fixedProbe())(`${server.origin}/a`), `the redirect to ${location}`);
          expectEqual((error as { code?: unknown }).code, 'UNSAFE_DESTINATION', 'the `code`');
          expectThat(!String(error).includes('planted-password'), 'a message without the password');
          expectEqual(server.requests.length, 1, 'requests');
        }
      }),
  },
  {
    name: 'a 3xx without a Location is the answer',
    skip: needs('redirects'),
    run: ({ attach, bare }) =>
      onServer(async (server) => {
        for (const status of [300, 304, 302]) {
          server.inject({ status, times: 2 });
          const [without, ours] = [await bare()(`${server.origin}/a`), await attach(fixedProbe())(`${server.origin}/a`)];
          expectEqual(
            [ours.status, Boolean(ours.error)],
            [without.status, Boolean(without.error)],
            'the status, and whether it is an error',
          );
        }
      }),
  },
  {
    name: 'an abort between two hops ends the chain',
    skip: needs('redirects'),
    run: ({ attach }) =>
      onServer(async (server) => {
        const controller = new AbortController();
        let authorized = 0;
        const strategy = probe(() => {
          if (++authorized === 2) controller.abort(new Error('user left'));
          return Promise.resolve({ headers: { 'X-Probe': '1' } });
        });
        await rejectionOf(attach(strategy)(server.origin + redirectTo('/landed'), { signal: controller.signal }), 'the call');
        expectEqual(
          server.requests.map(({ path }) => path),
          ['/redirect/302'],
          'the requests',
        );
      }),
  },
];

import type { ClientRequest } from '../adapter/adapter-subject.ts';
import { needs } from '../adapter/adapter-subject.ts';
import { onServer, onTwoServers, redirectTo, wireText } from '../adapter/servers.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { expectEqual, expectThat } from '../expectation.ts';
import { sightings } from '../secret-sightings.ts';
import { marksOf, tracesOf } from '../strategy/strategy-subject.ts';
import type { PairingSubject } from './pairing-subject.ts';

const STATUSES = [301, 302, 303, 307, 308] as const;
const FORM: ClientRequest = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'a=1' };
const skip = ({ adapter }: PairingSubject): string | undefined => needs('redirects')(adapter);

/** Redirects × statuses × the place of the credential. */
export const redirectCredentialCases: readonly ConformanceCase<PairingSubject>[] = STATUSES.flatMap((status) => [
  ...(['127.0.0.1', 'localhost'] as const).map(
    (host): ConformanceCase<PairingSubject> => ({
      name: `a ${status} takes no credential to another ${host === 'localhost' ? 'host' : 'port'}, a query that is repeated included`,
      skip,
      run: ({ adapter, strategy }) =>
        onTwoServers(async (home, other) => {
          for (const request of [{}, FORM]) {
            for (const server of [home, other]) server.clearRequests();
            const created = strategy.create();
            const { strategy: auth } = created;
            const answer = await adapter.attach(auth)(
              home.origin + redirectTo(`${other.origin}/landed?x=1`, status, '&repeatQuery=1'),
              request,
            );
            expectEqual(answer.status, 200, 'the status');
            if (answer.url !== undefined) expectEqual(answer.url, `${other.origin}/landed?x=1`, 'the final URL');
            if (answer.redirected !== undefined) expectEqual(answer.redirected, true, '`redirected`');
            expectThat(sightings(wireText(home.requests), marksOf(created)) > 0, 'the credential where the caller sent the request');
            expectEqual(other.requests.length, 1, 'requests at the other origin');
            expectEqual(sightings(wireText(other.requests), tracesOf(created)), 0, 'credentials at the other origin');
            expectEqual(other.requests[0]?.url, `${other.origin}/landed?x=1`, 'the URL at the other origin');
          }
        }, host),
    }),
  ),
  {
    name: `a ${status} to the same origin is authorized again, once`,
    skip,
    run: ({ adapter, strategy }) =>
      onServer(async (server) => {
        for (const request of [{}, FORM]) {
          server.clearRequests();
          const created = strategy.create();
          const { strategy: auth } = created;
          const answer = await adapter.attach(auth)(server.origin + redirectTo('/landed', status, '&repeatQuery=1'), request);
          expectEqual([answer.status, server.requests.length], [200, 2], 'status and requests');
          const landed = server.requests[1];
          const isResent = request === FORM && status > 303;
          expectEqual(
            [landed?.method, landed?.text.startsWith('a=1') ?? false],
            [isResent ? 'POST' : 'GET', isResent],
            'the method, and whether the body came along',
          );
          expectEqual(sightings(wireText(server.requests.slice(1)), marksOf(created)), 1, 'credentials on the second hop');
        }
      }),
  },
]);

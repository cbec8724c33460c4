import ky, { type Options } from 'ky';
import { cachedToken } from './cached-token.ts';
import { type ClientContender, home } from './client-contender.ts';
import { nullFetch } from './null-clients.ts';

/** As ky's documentation has it: one hook that sets the header, one that gets a new token after a 401 and sends again. */
export const handWrittenKy: ClientContender<Options> = {
  name: 'hand-written hooks',
  role: 'hand-written',
  recovers: true,
  async setup() {
    const { getToken, forget } = cachedToken();
    await getToken();
    return () =>
      ky.create({ prefix: home, fetch: nullFetch }).extend({
        hooks: {
          beforeRequest: [
            async ({ request }) => {
              request.headers.set('Authorization', `Bearer ${await getToken()}`);
            },
          ],
          afterResponse: [
            async ({ request, response, retryCount }) => {
              if (response.status !== 401 || retryCount > 0) return undefined;
              forget();
              const again = new Request(request);
              again.headers.set('Authorization', `Bearer ${await getToken()}`);
              return ky.retry({ request: again, delay: 0 });
            },
          ],
        },
      });
  },
};

/** The first hook alone: a client without an answer to a 401. ky clones every response for the second. */
export const handWrittenHeaderKy: ClientContender<Options> = {
  name: 'hand-written header hook',
  role: 'partial',
  recovers: false,
  async setup() {
    const { getToken } = cachedToken();
    await getToken();
    return () =>
      ky.create({ prefix: home, fetch: nullFetch }).extend({
        hooks: {
          beforeRequest: [
            async ({ request }) => {
              request.headers.set('Authorization', `Bearer ${await getToken()}`);
            },
          ],
        },
      });
  },
};

import type { Contender } from './contender.ts';

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
/** What a transport was given, for {@link sentBy}. */
type Inspect = (sent: { readonly url: string; readonly authorization: string | null }) => void;

/** The one response that every request gets. Nobody reads its body. */
const response: Response = new Response('{}', { headers: { 'content-type': 'application/json' } });

let inspect: Inspect | undefined;

/** A fetch that sends nothing and answers at once. */
export const nullFetch: Fetch = (input, init) => {
  if (inspect) tell(input, init);
  return Promise.resolve(response);
};

/** Whether a transport of another shape should report what it is given; `undefined` while the clock runs. */
export function inspector(): Inspect | undefined {
  return inspect;
}

/** What `contender` hands to its transport for one call: shows that it does the work that it is timed for. */
export async function sentBy(contender: Contender, url: string, init: RequestInit): Promise<Parameters<Inspect>[0] | undefined> {
  const call = await contender.setup();
  let sent: Parameters<Inspect>[0] | undefined;
  inspect = (seen) => {
    sent = seen;
  };
  await call(url, init);
  inspect = undefined;
  return sent;
}

function tell(input: string | URL | Request, init: RequestInit | undefined): void {
  const request = new Request(input, init);
  inspect?.({ url: request.url, authorization: request.headers.get('authorization') ?? request.headers.get('x-api-key') });
}

import { type ClientContender, home, item, type LineUp, path } from './client-contender.ts';
import { answerWith, type Sent, watchRequests } from './null-clients.ts';

/** A contender that forgets the credential or the body, sends elsewhere, or gives up at a 401 would win. */
export async function checkContender<Init>(contender: ClientContender<Init>, { requests }: LineUp<Init>): Promise<void> {
  const { name, role, recovers, setup } = contender;
  const client = (await setup())();
  for (const [method, request] of Object.entries(requests)) {
    const [sent, ...more] = await sentBy(() => client(...request));
    const isComplete = sent?.method === method && sent.url === home + path && sent.body === (method === 'POST' ? JSON.stringify(item) : '');
    if (!isComplete || more.length > 0 || (sent.credential === null) !== (role === 'bare')) fail(name, method, [sent, ...more]);
  }
  if (!recovers) return;
  let answers = 0;
  answerWith(() => {
    answers += 1;
    return answers === 1 ? 401 : 200;
  });
  const sent = await sentBy(() => client(...requests.POST));
  answerWith(() => 200);
  if (sent.length !== 2 || sent[0]?.credential === sent[1]?.credential || sent[0]?.body !== sent[1]?.body) fail(name, '401', sent);
}

async function sentBy(call: () => Promise<unknown>): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  watchRequests((one) => sent.push(one));
  await call();
  watchRequests(undefined);
  return sent;
}

function fail(name: string, situation: string, sent: readonly (Sent | undefined)[]): never {
  throw new Error(`${name} does not do its work (${situation}): ${JSON.stringify(sent)}`);
}

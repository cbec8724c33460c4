/** What can be done about an error that Redis answers with, by its first word. */
const ADVICE: Readonly<Record<string, string>> = {
  READONLY: 'it is a replica; connect to the primary',
  OOM: 'it has no memory left',
  MISCONF: 'it cannot write to its disk',
  NOAUTH: 'the client has to give a password',
  WRONGPASS: 'it does not take the password',
  NOPERM: 'the user may not do that; README.md lists what it needs',
  WRONGTYPE: 'something else is stored under the key of the entry; choose another `prefix`',
  BUSY: 'a script does not end',
};

/** Errors that pass by themselves: Redis has just been started, or a cluster moves its slots. */
const PASSING: ReadonlySet<string> = new Set(['LOADING', 'CLUSTERDOWN', 'TRYAGAIN', 'MASTERDOWN']);

/** The first word of an error that Redis answered with: `'READONLY'`. `undefined` for any other error: that the connection broke, say. */
export function replyCode(error: unknown): string | undefined {
  return error instanceof Error ? /^[A-Z]{2,}(?= )/.exec(error.message)?.[0] : undefined;
}

/** Whether it is worth asking again soon. */
export function isPassing(code: string): boolean {
  return PASSING.has(code);
}

/** What Redis answered, fit for a message. Redis quotes the arguments of commands that it does not know: what stands in quotes is left out. */
export function describeReply(error: Error, code: string): string {
  const advice = ADVICE[code];
  return advice ? `Redis answered ${code}: ${advice}` : `Redis answered ${error.message.replace(/["'`].*/s, '…').slice(0, 100)}`;
}

/** A reply as text: clients can be set up to give bytes. */
export function replyText(reply: unknown): string | undefined {
  return reply === null || reply === undefined ? undefined : String(reply);
}

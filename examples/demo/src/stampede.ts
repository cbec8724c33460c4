import { tokenRequests } from './call.ts';
import type { DemoClient } from './clients.ts';
import { type Failure, failureOf } from './failure.ts';
import type { DemoServer, RunningSystem } from './systems.ts';
import { withDeadline } from './with-deadline.ts';

/** Many calls at once, on a token that the server no longer accepts. */
export interface StampedeRow {
  readonly system: string;
  readonly client: string;
  /** Every call succeeded, at the price of one token request. */
  readonly ok: boolean;
  readonly calls: number;
  /** Answers that rejected the old token. */
  readonly rejected: number;
  /** Calls that failed in the end. */
  readonly failed: number;
  readonly tokenRequests: number;
  readonly durationMs: number;
  readonly failure?: Failure;
}

/** Gets a token, lets the server revoke it, and starts `calls` calls at once. */
export async function stampede(name: string, system: RunningSystem, client: DemoClient, calls: number): Promise<StampedeRow> {
  const { server, auth, whoAmI } = system;
  const row = { system: name, client: client.name, calls };
  try {
    const { strategy, signIn } = auth();
    const api = client.connect(strategy);
    await withDeadline(() => signIn().then(() => whoAmI(api)));
    server.revokeTokens?.();
    return { ...row, ...(await withDeadline(() => wave(server, calls, () => whoAmI(api)))) };
  } catch (error) {
    return { ...row, ok: false, rejected: 0, failed: calls, tokenRequests: 0, durationMs: 0, failure: failureOf(error, server) };
  } finally {
    server.clearFaults();
  }
}

/** The answers are spread over 0 to 100 ms: late rejections of the old token arrive when the new one is long in use. */
async function wave(server: DemoServer, calls: number, whoAmI: () => Promise<string>): Promise<Omit<StampedeRow, 'system' | 'client'>> {
  const before = tokenRequests(server);
  let answers = 0;
  let rejected = 0;
  server.inject({
    at: 'api',
    times: Number.POSITIVE_INFINITY,
    delayMs: () => (answers++ * 37) % 101, // each delay once, out of order, then again
    transform(answer) {
      if (answer.status === 401) rejected += 1;
      return answer;
    },
  });

  const startedAt = performance.now();
  const outcomes = await Promise.allSettled(Array.from({ length: calls }, whoAmI));
  const durationMs = Math.round(performance.now() - startedAt);
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  const counts = { calls, rejected, failed: reasons.length, tokenRequests: tokenRequests(server) - before, durationMs };
  if (reasons.length > 0) return { ok: false, ...counts, failure: failureOf(reasons[0], server) };
  if (counts.tokenRequests === 1) return { ok: true, ...counts };
  return { ok: false, ...counts, failure: { name: 'Error', message: `${counts.tokenRequests} token requests where one is enough` } };
}

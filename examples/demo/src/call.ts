import type { DemoClient } from './clients.ts';
import { type Failure, failureOf } from './failure.ts';
import type { DemoServer, RunningSystem } from './systems.ts';
import { withDeadline } from './with-deadline.ts';

/** One system called through one client. */
export interface CallRow {
  readonly system: string;
  /** `name` of the strategy: the function that made it. */
  readonly strategy: string;
  readonly client: string;
  readonly ok: boolean;
  /** What the system said when it was asked who is calling. */
  readonly whoAmI?: string;
  readonly failure?: Failure;
  readonly tokenRequests: number;
  readonly durationMs: number;
}

/** Asks a system who is calling, with a strategy that has no token yet. Where it takes a person, they sign in first. */
export async function call(system: string, { server, auth, whoAmI }: RunningSystem, client: DemoClient): Promise<CallRow> {
  const { strategy, signIn } = auth();
  const before = tokenRequests(server);
  const startedAt = performance.now();
  const outcome = await withDeadline(() => signIn().then(() => whoAmI(client.connect(strategy)))).then(
    (answer) => ({ ok: true, whoAmI: answer }),
    (error: unknown) => ({ ok: false, failure: failureOf(error, server) }),
  );
  return {
    system,
    strategy: schemeOf(strategy.name),
    client: client.name,
    ...outcome,
    tokenRequests: tokenRequests(server) - before,
    durationMs: Math.round(performance.now() - startedAt),
  };
}

/** How many token requests a server has received. */
export function tokenRequests({ requests }: DemoServer): number {
  return requests.filter(({ route }) => route === 'token').length;
}

/** The name without the strategies that stand beside the one that authenticates. */
function schemeOf(name: string): string {
  return name.replace('staticHeaders+', '');
}

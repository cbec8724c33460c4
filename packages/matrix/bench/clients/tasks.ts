import process from 'node:process';
import type { RoundOptions } from '../interleaved-rounds.ts';
import { type TimeRow, timeCalls } from './call-time.ts';
import type { LineUp } from './client-contender.ts';
import { bytesPerInstance, type Sharing } from './instance-memory.ts';
import { axiosLineUp, kyLineUp } from './line-ups.ts';
import { type Retention, retained } from './retention.ts';

/** What is done in one process. `contender`: of `time` the one of ours that is timed with all that are not. */
export interface Task {
  readonly kind: 'time' | 'memory' | 'retention';
  readonly client: 'axios' | 'ky';
  readonly contender: string;
  /** Of `memory`. */
  readonly sharing?: Sharing;
}

/** A task and what came of it: rows for each kind of request, bytes for one instance, or what is retained in each situation. */
export type Result =
  | (Task & { readonly kind: 'time'; readonly requests: Readonly<Record<string, readonly TimeRow[]>> })
  | (Task & { readonly kind: 'memory'; readonly bytes: number })
  | (Task & { readonly kind: 'retention'; readonly situations: readonly Retention[] });

/** How thoroughly is measured. */
export interface Effort extends RoundOptions {
  readonly instances: number;
  readonly requests: number;
}

/** All tasks. Each of ours is timed in a process of its own: the engine compiles code that serves one strategy better than code that serves two. */
export const tasks: readonly Task[] = [...tasksOf(axiosLineUp), ...tasksOf(kyLineUp)];

/** Does `task`, in this process. */
export function run(task: Task, effort: Effort): Promise<Result> {
  // Calls of ky take ten times as long as those of axios.
  return task.client === 'axios' ? runWith(axiosLineUp, task, effort) : runWith(kyLineUp, task, { ...effort, warmUpCalls: 4_000 });
}

function tasksOf<Init>({ client, contenders }: LineUp<Init>): Task[] {
  const named = (role: string): string[] => contenders.filter((contender) => contender.role === role).map(({ name }) => name);
  const weighed = [...named('bare'), ...named('hand-written'), ...named('ours')];
  const retaining = contenders.filter(({ role, recovers }) => role === 'bare' || (role === 'ours' && recovers));
  return [
    ...named('ours').map((contender): Task => ({ kind: 'time', client, contender })),
    ...(['shared', 'own'] as const).flatMap((sharing) =>
      weighed.map((contender): Task => ({ kind: 'memory', client, contender, sharing })),
    ),
    ...retaining.map(({ name }): Task => ({ kind: 'retention', client, contender: name })),
  ];
}

async function runWith<Init>(lineUp: LineUp<Init>, task: Task, effort: Effort): Promise<Result> {
  const { kind, sharing = 'shared' } = task;
  if (kind === 'time') return { ...task, kind, requests: await timeCalls(lineUp, task.contender, { ...effort, clock: cpuMs }) };
  const contender = lineUp.contenders.find(({ name }) => name === task.contender)!;
  if (kind === 'memory') return { ...task, kind, bytes: await bytesPerInstance(contender, lineUp, sharing, effort.instances) };
  return { ...task, kind, situations: await retained(contender, lineUp, effort.requests) };
}

/** CPU time of this process: others on the machine take turns with it, and calls that take microseconds show it. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

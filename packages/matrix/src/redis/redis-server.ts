import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether there is a Redis to run. */
export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

/** A Redis of its own, on a socket in a folder of its own. */
export interface RedisServer extends AsyncDisposable {
  /** Path of the socket; a port where one was asked for is beside it. */
  readonly socket: string;
  /** Stops it in the middle of whatever it does: connections stay, and nobody answers. `'SIGCONT'` lets it go on, `'SIGKILL'` ends it. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void;
  /** Starts it again, over what it had on its disk, once it is gone. */
  restart(): Promise<void>;
}

/**
 * Starts a {@link RedisServer}. It ends with this process at the latest, however that ends.
 *
 * @param settings Further arguments. `isDurable`: every write is on the disk before it is answered.
 */
export async function startRedis(settings: readonly string[] = [], { isDurable = false } = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'authseam-redis-'));
  const socket = join(folder, 'redis.sock');
  const durable = isDurable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : [];
  const fixed = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--daemonize', 'no', '--loglevel', 'warning'];
  const args = [...fixed, ...durable, ...settings];
  let running = await startOnce(args, socket);
  return {
    socket,
    signal: (name) => void process.kill(running.pid, name),
    async restart() {
      await running.ended();
      running = await startOnce(args, socket);
    },
    async [Symbol.asyncDispose]() {
      running.child.stdin?.end();
      await running.ended();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  ended(): Promise<unknown>;
}

/** The shell ends Redis and removes its folder when its input closes, which it does when this process ends, by force too. */
const WATCHED = `exec 3<&0
redis-server "$@" </dev/null >/dev/null 3<&- & redis=$!
echo $redis
(read -r _ <&3; trap '' TERM; kill -KILL $redis; rm -rf "$0") >/dev/null 2>&1 & watcher=$!
wait $redis
kill $watcher`;

async function startOnce(args: readonly string[], socket: string): Promise<Running> {
  rmSync(socket, { force: true });
  const child = spawn('sh', ['-c', WATCHED, dirname(socket), ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
  const exit = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  for (const handle of [child, child.stdin, child.stdout]) (handle as unknown as { unref(): void }).unref();
  const deadlineMs = Date.now() + 10_000;
  while (!(await answers(socket))) {
    if (Date.now() > deadlineMs) throw new Error('redis-server does not answer');
    await sleep(10);
  }
  const ended = (): Promise<unknown> => {
    child.ref();
    return exit;
  };
  return { child, pid: Number(line), ended };
}

/** It takes connections while it still loads; then it answers with an error. One that refuses us is there as well. */
async function answers(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const connection = connect(path);
  try {
    await once(connection, 'connect');
    connection.write('PING\r\n');
    const [reply] = (await once(connection, 'data')) as [Buffer];
    return /^\+PONG|^-NO(?:AUTH|PERM)/.test(reply.toString());
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}

import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { BlockList, isIP, Socket } from 'node:net';

/** Takes the guard away, and tells what it stopped so far. */
export interface NonLoopbackGuard {
  (): void;
  /** Every host that something tried to reach or to look up: a live list. A client may swallow its error; this list is what a test asks. */
  readonly attempts: readonly string[];
}

/**
 * Keeps this process on this machine: a connection (node:net, and with it node:tls, http and fetch) or a DNS query for anything but loopback
 * fails like a network that is down, with code `'ERR_LEFT_MACHINE'`, and is noted. UDP sockets and child processes are not covered.
 *
 * @example
 * ```ts
 * import { denyNonLoopback } from '@authseam/testing';
 * import { afterEach, expect } from 'vitest';
 *
 * const restore = denyNonLoopback();
 * afterEach(() => expect(restore.attempts).toEqual([]));
 * ```
 */
export function denyNonLoopback(): NonLoopbackGuard {
  const attempts: string[] = [];
  const restoreAll = [guardConnections(attempts), guardLookups(attempts)];
  const restore = () => {
    for (const restoreOne of restoreAll.splice(0)) restoreOne();
  };
  return Object.freeze(Object.assign(restore, { attempts }));
}

function guardConnections(attempts: string[]): () => void {
  const original = Socket.prototype.connect;
  const guarded = function connectToLoopbackOnly(this: Socket, ...args: unknown[]): Socket {
    const host = hostOf(args);
    if (host === undefined || isLoopback(host)) return Reflect.apply(original, this, args);
    attempts.push(host);
    // As in a real connect that fails: the caller first gets a socket that is connecting, for tls.connect() and http write to it at once.
    Object.assign(this, { connecting: true });
    process.nextTick(() => this.destroy(leftMachine(host)));
    return this;
  };
  Object.assign(Socket.prototype, { connect: guarded });
  return () => void Object.assign(Socket.prototype, { connect: original });
}

/** The host that `connect` would go to, `undefined` for localhost by default and for local paths. */
function hostOf(args: readonly unknown[]): string | undefined {
  // net.connect() passes its normalized arguments as one array.
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof first !== 'object' || first === null) return typeof second === 'string' ? second : undefined;
  // http passes `path: null` along with a host.
  const { host, path } = first as { readonly host?: string; readonly path?: string | null };
  return typeof path === 'string' ? undefined : host;
}

const QUERIES = ['lookup', 'lookupService', 'resolve', 'resolve4', 'resolve6', 'resolveAny', 'resolveCaa', 'resolveCname', 'resolveMx'];
const MORE_QUERIES = ['resolveNaptr', 'resolveNs', 'resolvePtr', 'resolveSoa', 'resolveSrv', 'resolveTxt', 'reverse'];

type Query = (host: string, ...more: unknown[]) => unknown;

function guardLookups(attempts: string[]): () => void {
  const denied = (host: string) => {
    attempts.push(host);
    return leftMachine(host);
  };
  const restoreCallbacks = guardQueries(dns as unknown as Record<string, Query>, (host, callback) => {
    const error = denied(host);
    if (typeof callback === 'function') queueMicrotask(() => callback(error));
  });
  const restorePromises = guardQueries(dns.promises as unknown as Record<string, Query>, (host) => Promise.reject(denied(host)));
  return () => {
    restoreCallbacks();
    restorePromises();
  };
}

function guardQueries(module: Record<string, Query>, deny: (host: string, callback: unknown) => unknown): () => void {
  const originals = Object.fromEntries(
    [...QUERIES, ...MORE_QUERIES].flatMap((name) => (module[name] === undefined ? [] : [[name, module[name]]])),
  );
  for (const [name, original] of Object.entries(originals)) {
    const guarded: Query = (host, ...more) =>
      isLoopback(host) ? Reflect.apply(original, module, [host, ...more]) : deny(host, more.at(-1));
    // With all that hangs on the original, which util.promisify asks for.
    module[name] = Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original));
  }
  // So that `import { lookup } from 'node:dns'` is guarded too.
  syncBuiltinESMExports();
  return () => {
    Object.assign(module, originals);
    syncBuiltinESMExports();
  };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const address = name.replace(/^::ffff:(?=\d+\.)/i, '');
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

function leftMachine(host: string): Error {
  return Object.assign(new Error(`A test tried to leave this machine: ${host}`), { code: 'ERR_LEFT_MACHINE', hostname: host });
}

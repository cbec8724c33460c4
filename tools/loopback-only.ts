// A vitest setup file: a test that opens a connection to anything but this machine fails.
import { BlockList, isIP, Socket } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const originalConnect = Socket.prototype.connect;

// AUTHSEAM_LIVE=1 lets the examples reach the real systems that their environment variables name.
if (process.env['AUTHSEAM_LIVE'] !== '1') {
  Socket.prototype.connect = function connectToLoopbackOnly(this: Socket, ...args: unknown[]): Socket {
    const host = hostOf(args);
    if (host !== undefined && !isLoopback(host)) throw new Error(`A test tried to leave this machine: connection to ${host}`);
    return Reflect.apply(originalConnect, this, args) as Socket;
  } as typeof Socket.prototype.connect;
}

function hostOf(args: readonly unknown[]): string | undefined {
  // net.connect() passes its normalized arguments as one array.
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof first === 'object' && first !== null) {
    const { host, path } = first as { host?: string; path?: string };
    return path === undefined ? host : undefined;
  }
  return typeof second === 'string' ? second : undefined;
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const address = host.replace(/^\[|\]$/g, '').replace(/^::ffff:(?=\d+\.)/i, '');
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

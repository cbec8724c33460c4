import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { type Answer, sendAnswer, sendHalfAnswer } from './answer.ts';
import type { FaultMoment } from './fault.ts';
import type { FaultPlan } from './fault-queue.ts';
import type { ReceivedRequest } from './received-request.ts';

/** One exchange: the request, the response to write to, the route's work, and a signal that says the client or the server has gone. */
export interface Exchange {
  readonly request: ReceivedRequest;
  readonly response: ServerResponse;
  readonly handle: () => Promise<Answer>;
  readonly gone: AbortSignal;
}

/** Answers one request, with what the plan says going wrong. Resolves when all that will be sent was sent. */
export async function answerWithFaults(exchange: Exchange, { delayMs, fault }: FaultPlan): Promise<void> {
  const { response, request, gone } = exchange;
  const answer = await answerOf(exchange, fault);
  if (delayMs > 0 && !(await waited(delayMs, gone))) return;
  if (response.destroyed) return;
  if (fault?.gzipBomb !== undefined) return sendLarge(response, fault.gzipBomb, 'gzip');
  if (fault?.hugeBody !== undefined) return sendLarge(response, fault.hugeBody);
  if (fault?.reset !== undefined) return reset(response, fault.reset, answer);
  // A stalled answer needs no more than to be left open: the client leaves, or the server's close() ends the socket.
  if (fault?.stall !== undefined) return fault.stall === 'mid-body' ? sendHalfAnswer(response, answer) : undefined;
  sendAnswer(response, fault?.transform === undefined ? answer : await fault.transform(answer, request));
}

async function answerOf({ handle }: Exchange, fault: FaultPlan['fault']): Promise<Answer> {
  if (fault === undefined) return handle();
  if (fault.status !== undefined) return fault;
  const isBeforeWork = [fault.reset, fault.stall].includes('on-arrival') || fault.gzipBomb !== undefined || fault.hugeBody !== undefined;
  return isBeforeWork ? {} : handle();
}

async function waited(delayMs: number, gone: AbortSignal): Promise<boolean> {
  return wait(delayMs, true, { signal: gone, ref: false }).catch(() => false);
}

async function reset(response: ServerResponse, moment: FaultMoment, answer: Answer): Promise<void> {
  const { socket } = response;
  if (moment === 'mid-body') {
    await sendHalfAnswer(response, answer);
    socket?.destroy();
  } else if (socket !== null && 'encrypted' in socket) {
    // Node resets plain TCP only.
    socket.destroy();
  } else {
    socket?.resetAndDestroy();
  }
}

async function sendLarge(response: ServerResponse, bytes: number, encoding?: 'gzip'): Promise<void> {
  response.setHeader('Content-Type', 'application/json');
  const body = Readable.from(tokenAnswerOf(bytes));
  // The expected end of this pipeline is that the client cuts it off.
  const cutOff = () => undefined;
  if (encoding === undefined) return pipeline(body, response).catch(cutOff);
  response.setHeader('Content-Encoding', encoding);
  return pipeline(body, createGzip({ level: 9 }), response).catch(cutOff);
}

function* tokenAnswerOf(bytes: number): Generator<Buffer> {
  const start = Buffer.from('{"token_type":"Bearer","expires_in":3600,"access_token":"');
  const end = Buffer.from('"}');
  const block = Buffer.alloc(65_536, 'a');
  yield start;
  for (let left = bytes - start.length - end.length; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length));
  yield end;
}

import type { Answer } from './answer.ts';
import type { ReceivedRequest } from './received-request.ts';

/**
 * Something that goes wrong, once or often, at one place of a loopback server. The key that is present says what:
 *
 * | key | what the client sees | does the server do its work first? |
 * |---|---|---|
 * | `status` | this answer instead of the genuine one | no |
 * | `transform` | the genuine answer, changed | yes |
 * | `reset` | the connection breaks | unless `'on-arrival'` |
 * | `stall` | silence, until the client leaves or the server closes | unless `'on-arrival'` |
 * | `gzipBomb` | a small answer that inflates to so many bytes | no |
 * | `hugeBody` | a plain answer of so many bytes | no |
 * | `delayMs` alone | the genuine answer, late | yes |
 *
 * Whether the server does its work first matters where work changes its state: it may have issued a token that the client never saw.
 * Faults are tried in the order of injection. Those that only delay add up; the first that does more ends the search.
 *
 * @example
 * ```ts
 * import { huvrServer } from '@authseam/testing';
 *
 * await using server = await huvrServer();
 * server.inject({ at: 'token', status: 503, headers: { 'Retry-After': '2' }, times: 2 });
 * server.inject({ at: 'token', reset: 'mid-body' });
 * server.inject({ at: 'api', delayMs: () => Math.random() * 100, times: Infinity });
 * ```
 */
export type Fault = AnswerFault | TransformFault | ResetFault | StallFault | GzipBombFault | HugeBodyFault | DelayFault;

/** Where and how often a fault happens. */
export interface FaultScope {
  /** A route's purpose (`'token'`, `'api'`, `'discovery'`) or a path that begins with `/`. Default: every request. */
  readonly at?: string;
  /** How often, `Infinity` included. Default 1. */
  readonly times?: number;
  /** A narrower choice, asked after `at`. */
  readonly when?: (request: ReceivedRequest) => boolean;
  /** How long the answer, or whatever takes its place, is held back. Default 0. */
  readonly delayMs?: number | ((request: ReceivedRequest) => number);
}

/**
 * When a connection breaks or falls silent: before the server did anything, after its work with nothing of the answer sent,
 * or after the headers and half of the body.
 */
export type FaultMoment = 'on-arrival' | 'before-headers' | 'mid-body';

/** An answer instead of the genuine one: an error status, HTML, an empty or malformed token answer, a redirect. */
export interface AnswerFault extends FaultScope, Answer, Without<'transform' | 'reset' | 'stall' | 'gzipBomb' | 'hugeBody'> {
  readonly status: number;
}

/** The genuine answer, changed: a field taken out, another content type, a wrong signature. */
export interface TransformFault extends FaultScope, Without<'status' | 'reset' | 'stall' | 'gzipBomb' | 'hugeBody'> {
  readonly transform: (answer: Answer, request: ReceivedRequest) => Answer | Promise<Answer>;
}

/** A broken connection: a TCP reset, or mid-body an early end (a reset there could throw away the half that was just sent). */
export interface ResetFault extends FaultScope, Without<'status' | 'transform' | 'stall' | 'gzipBomb' | 'hugeBody'> {
  readonly reset: FaultMoment;
}

/** A connection that stays open and says no more. */
export interface StallFault extends FaultScope, Without<'status' | 'transform' | 'reset' | 'gzipBomb' | 'hugeBody'> {
  readonly stall: FaultMoment;
}

/** A valid JSON token answer, compressed: `gzipBomb` is its inflated size in bytes, about a thousand times what is sent. */
export interface GzipBombFault extends FaultScope, Without<'status' | 'transform' | 'reset' | 'stall' | 'hugeBody'> {
  readonly gzipBomb: number;
}

/** A valid JSON token answer of exactly so many bytes, without a Content-Length: only a limit of the client's own can reject it. */
export interface HugeBodyFault extends FaultScope, Without<'status' | 'transform' | 'reset' | 'stall' | 'gzipBomb'> {
  readonly hugeBody: number;
}

/** The genuine answer, late. */
export interface DelayFault extends FaultScope, Without<'status' | 'transform' | 'reset' | 'stall' | 'gzipBomb' | 'hugeBody'> {
  readonly delayMs: number | ((request: ReceivedRequest) => number);
}

/** Keeps the members of the union apart: `{ reset, stall }` is a type error, and reading `fault.reset` is not. */
type Without<Keys extends string> = { readonly [Key in Keys]?: never };

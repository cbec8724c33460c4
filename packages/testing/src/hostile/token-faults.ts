import type { AnswerFault, Fault, GzipBombFault, HugeBodyFault, ResetFault, StallFault, TransformFault } from '../fault.ts';

/**
 * What goes wrong at token endpoints, by name: each happens once, at the purpose `'token'` of any server of this package. Spread one to say more:
 * `{ ...tokenFaults.unavailable, times: Infinity }`.
 *
 * @example
 * ```ts
 * import { hostileAuthorizationServer, tokenFaults } from '@authseam/testing';
 *
 * for (const [name, fault] of Object.entries(tokenFaults)) {
 *   await using server = await hostileAuthorizationServer();
 *   server.inject(fault);
 *   console.log(name, server.pendingFaults); // now let your client ask for a token
 * }
 * ```
 */
export const tokenFaults: TokenFaults = Object.freeze({
  refused: { at: 'token', reset: 'on-arrival' },
  answerLost: { at: 'token', reset: 'before-headers' },
  answerCutOff: { at: 'token', reset: 'mid-body' },
  neverArrives: { at: 'token', stall: 'on-arrival' },
  noAnswer: { at: 'token', stall: 'before-headers' },
  answerStalls: { at: 'token', stall: 'mid-body' },
  unavailable: { at: 'token', status: 503 },
  unavailableFor2s: { at: 'token', status: 503, headers: { 'Retry-After': '2' } },
  tooMany: { at: 'token', status: 429 },
  serverError: { at: 'token', status: 500, headers: { 'Content-Type': 'text/html' }, body: '<h1>Internal Server Error</h1>' },
  loginPage: { at: 'token', status: 200, headers: { 'Content-Type': 'text/html' }, body: '<form action="/login"></form>' },
  empty: { at: 'token', status: 200 },
  noContent: { at: 'token', status: 204 },
  notJson: { at: 'token', status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"access_token":"cut sho' },
  notAnObject: { at: 'token', status: 200, body: [] },
  errorWithStatus200: { at: 'token', status: 200, body: { error: 'invalid_request' } },
  withoutToken: { at: 'token', transform: (answer) => ({ ...answer, body: { ...(answer.body as object), access_token: undefined } }) },
  redirect: { at: 'token', status: 307, headers: { Location: '/elsewhere' } },
  endless: { at: 'token', hugeBody: 2 ** 22 },
  gzipBomb: { at: 'token', gzipBomb: 2 ** 25 },
} satisfies Record<string, Fault>);

/** The faults of {@link tokenFaults}. Where the server does its work first, a refresh token may be spent. */
export interface TokenFaults {
  /** The connection is reset; nothing was done. */
  readonly refused: ResetFault;
  /** The work is done, a refresh token rotated, and the connection reset before anybody is told. */
  readonly answerLost: ResetFault;
  /** As before, after half of the answer. */
  readonly answerCutOff: ResetFault;
  /** Silence; nothing was done. */
  readonly neverArrives: StallFault;
  /** Silence after the work was done. */
  readonly noAnswer: StallFault;
  /** As before, after half of the answer. */
  readonly answerStalls: StallFault;
  /** 503. */
  readonly unavailable: AnswerFault;
  /** 503 with `Retry-After: 2`. */
  readonly unavailableFor2s: AnswerFault;
  /** 429. */
  readonly tooMany: AnswerFault;
  /** 500 and an HTML page. */
  readonly serverError: AnswerFault;
  /** 200 and an HTML page. */
  readonly loginPage: AnswerFault;
  /** 200 without a body. */
  readonly empty: AnswerFault;
  /** 204. */
  readonly noContent: AnswerFault;
  /** JSON that ends in a token. */
  readonly notJson: AnswerFault;
  /** JSON, and a list. */
  readonly notAnObject: AnswerFault;
  /** 200 and `{ "error": "invalid_request" }`. */
  readonly errorWithStatus200: AnswerFault;
  /** The genuine answer without its `access_token`: the work is done. */
  readonly withoutToken: TransformFault;
  /** 307 to `/elsewhere` of the same server. */
  readonly redirect: AnswerFault;
  /** A valid token answer of 4 MiB. */
  readonly endless: HugeBodyFault;
  /** A valid token answer that inflates to 32 MiB. */
  readonly gzipBomb: GzipBombFault;
}

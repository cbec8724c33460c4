import type { AuthRequest } from './auth-strategy.ts';

/** Key under which a request that other strategies have patched already keeps the caller's. */
export const callersRequest: unique symbol = Symbol.for('authseam.callersRequest') as never;

/** A request with what strategies before have added. */
export interface Patched {
  readonly [callersRequest]?: AuthRequest;
}

/** The request as the caller made it: what stands there is the caller's own, and no other strategy's. */
export function callersOwn(request: AuthRequest & Patched): AuthRequest {
  return request[callersRequest] ?? request;
}

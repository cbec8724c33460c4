import { UnsafeDestinationError } from './auth-error.ts';
import type { AuthContext, AuthPatch, AuthRequest } from './auth-strategy.ts';
import type { ClientCall, Lane, NextHop } from './send-loop.ts';

/** One send, and what it led to. */
interface Outcome<Response> {
  readonly request: AuthRequest;
  readonly patch: AuthPatch;
  readonly response: Response;
  readonly status: number;
}

/**
 * The second half of the send loop: what is left to do after a response that is no success. A redirect is followed and authorized anew, a rejection
 * recovered from and sent again once; anything else is the caller's.
 */
export async function afterwards<Response>(
  lane: Lane,
  call: ClientCall<Response>,
  context: AuthContext,
  outcome: Outcome<Response>,
): Promise<Response> {
  const { strategy, maxAttempts, base } = lane;
  const { request, patch, response, status } = outcome;
  const { name } = strategy;
  const next = status < 400 ? await nextOf(call, outcome) : undefined;
  if (next) {
    call.discard(response);
    return follow(lane, context, next);
  }
  const { attempt, replayable } = request;
  const sent = { request, receipt: patch.receipt };
  if (!(await isRejected(lane, call, context, outcome))) return response;
  base.emit({ type: 'rejected', strategy: name, status, attempt });
  if (!strategy.recover || (attempt > 1 && attempt >= maxAttempts)) return response;
  try {
    if (!(await lane.wait(call, () => strategy.recover?.(call.view(response), sent, context) ?? false, context))) return response;
  } catch (error) {
    call.discard(response);
    throw error;
  }
  if (attempt >= maxAttempts || !replayable) {
    base.emit({ type: 'replay-skipped', strategy: name, reason: replayable ? 'max-attempts' : 'body-not-replayable' });
    return response;
  }
  call.discard(response);
  return lane.authorize(call, context, attempt + 1);
}

/** A redirect that cannot be taken holds a connection as well. */
async function nextOf<Response>(
  call: ClientCall<Response>,
  { response, patch }: Outcome<Response>,
): Promise<NextHop<Response> | undefined> {
  try {
    return await call.next(response, patch);
  } catch (error) {
    call.discard(response);
    throw error;
  }
}

/** Takes the next hop: with a new credential where it may go, else bare for the rest of the chain. */
async function follow<Response>(lane: Lane, context: AuthContext, { call, redirection }: NextHop<Response>): Promise<Response> {
  const { strategy, policy, base } = lane;
  const { name, readsBody = 'none' } = strategy;
  const { url, crossOrigin, isDowngrade } = redirection;
  const { origin } = url;
  if (isDowngrade && !policy.isNamed(url)) {
    const message = `${name}: a redirect from https to ${origin} was not followed. If it is meant, name that origin in \`origins\`.`;
    throw new UnsafeDestinationError(message, { origin, strategy: name });
  }
  const reason = crossOrigin && !policy.isNamed(url) ? 'redirect' : policy.refusal(url.href, call.home);
  if (reason) {
    base.emit({ type: 'request-bare', strategy: name, origin, reason });
    return call.sendBare();
  }
  await call.prepare?.(readsBody);
  return lane.authorize(call, context, 1);
}

async function isRejected<Response>(
  lane: Lane,
  call: ClientCall<Response>,
  context: AuthContext,
  { request, patch, response, status }: Outcome<Response>,
): Promise<boolean> {
  const { strategy } = lane;
  if (status < 400 || call.hasLeft?.(response)) return false;
  if (status === 401 || !strategy.isRejected) return status === 401;
  try {
    const sent = { request, receipt: patch.receipt };
    return await lane.wait(call, () => strategy.isRejected?.(call.view(response), sent) ?? false, context);
  } catch (error) {
    if (context.signal?.aborted) {
      call.discard(response);
      throw error;
    }
    lane.base.emit({ type: 'rejection-check-failed', strategy: strategy.name, status });
    return false;
  }
}

import { appendCookies, appendForm, appendQuery, checkPatch, findConflict, isEmptyPatch } from './apply-patch.ts';
import { ConfigurationError } from './auth-error.ts';
import type { AuthContext, AuthPatch, AuthRequest, AuthResponse, AuthStrategy, Awaitable, SentAttempt } from './auth-strategy.ts';
import { sensitiveOf, widestBody } from './by-origin.ts';
import { callersOwn, callersRequest, type Patched } from './callers-own.ts';
import { checkStrategy } from './check-strategy.ts';
import { isPromiseLike } from './is-promise-like.ts';
import { type OriginBound, strategyOrigins } from './origin-policy.ts';

/** What each child sent, by its place; `undefined` where it sent nothing: the caller's own credential stood in its way, or there was nothing to add. */
type Receipts = readonly (SentAttempt | undefined)[];

/**
 * Several strategies on one request, left to right. Each sees the request as patched so far and gets only its own receipt. A child whose header,
 * parameter or cookie the caller has set itself is left out; the others still act. A rejection is put to each child that can recover, and the request
 * is sent again if one says so.
 *
 * @throws {ConfigurationError} at once without strategies, or for what is none; before anything is sent, when two children set the same name.
 * @example
 * ```ts
 * import { compose, staticHeaders } from '@authseam/core';
 * import { apiKey } from '@authseam/auth-api-key';
 *
 * export const auth = compose(staticHeaders({ 'User-Agent': 'my-app/1.0' }), apiKey({ key: 'example' }));
 * ```
 */
export function compose(...strategies: readonly AuthStrategy[]): AuthStrategy<unknown> {
  if (strategies.length === 0) throw new ConfigurationError('compose: name at least one strategy.', { option: 'strategies' });
  for (const strategy of strategies) checkStrategy(strategy, 'strategies');
  const origins = strategies.flatMap((strategy) => (strategy as OriginBound)[strategyOrigins] ?? []);
  const name = strategies.map((strategy) => strategy.name).join('+');

  function authorize(request: AuthRequest, context: AuthContext): Awaitable<AuthPatch<Receipts>> {
    return step(0, {}, []);

    function step(index: number, sum: AuthPatch, receipts: Receipts): Awaitable<AuthPatch<Receipts>> {
      const child = strategies[index];
      if (!child) return { ...sum, receipt: receipts };
      const view = index === 0 ? request : patchedRequest(request, sum);
      const add = (patch: AuthPatch): Awaitable<AuthPatch<Receipts>> => {
        checkPatch(patch, child.name);
        const callers = findConflict(callersOwn(request), patch);
        if (callers) context.emit({ type: 'credential-conflict', strategy: child.name, ...callers });
        const twice = callers ? undefined : findConflict(view, patch);
        if (twice) {
          const problem = `compose: '${child.name}' and a strategy before it both set the ${twice.place} '${twice.name}'. Leave one of them out.`;
          throw new ConfigurationError(problem, { option: 'strategies', strategy: name });
        }
        return callers || isEmptyPatch(patch)
          ? step(index + 1, sum, [...receipts, undefined])
          : step(index + 1, merge(sum, patch), [...receipts, { request: view, receipt: patch.receipt }]);
      };
      const patch = child.authorize(view, context);
      return isPromiseLike(patch) ? patch.then(add) : add(patch);
    }
  }

  /** The children that acted on a request, each with what it sent. */
  function acted({ receipt }: SentAttempt<Receipts>): [AuthStrategy, SentAttempt][] {
    return strategies.flatMap((strategy, index) => {
      const own = receipt?.[index];
      return own ? [[strategy, own] satisfies [AuthStrategy, SentAttempt]] : [];
    });
  }

  const composed: AuthStrategy<Receipts> & OriginBound = {
    name,
    specVersion: 1,
    readsBody: widestBody(strategies),
    ...sensitiveOf(strategies),
    [strategyOrigins]: origins.length > 0 ? origins : undefined,
    authorize,
    async isRejected(response, sent) {
      return (await rejectedBy(response, acted(sent))).length > 0;
    },
    async recover(response, sent, context) {
      const children = response.status === 401 ? acted(sent) : await rejectedBy(response, acted(sent));
      const answers = await Promise.allSettled(
        children.map(async ([strategy, own]) => strategy.recover?.(response, own, context) ?? false),
      );
      if (answers.some((answer) => answer.status === 'fulfilled' && answer.value)) return true;
      const failure = answers.find((answer) => answer.status === 'rejected');
      if (failure) throw failure.reason;
      return false;
    },
    observe(response, sent) {
      for (const [strategy, own] of acted(sent)) strategy.observe?.(response, own);
    },
  };
  return Object.freeze(composed as AuthStrategy<unknown>);
}

/** Those who say that their credential was rejected. One that throws is left out; with nobody else to say so, its error is the answer. */
async function rejectedBy(response: AuthResponse, acted: readonly [AuthStrategy, SentAttempt][]): Promise<[AuthStrategy, SentAttempt][]> {
  const answers = await Promise.allSettled(acted.map(async ([strategy, own]) => strategy.isRejected?.(response, own) ?? false));
  const rejected = acted.filter((_, index) => {
    const answer = answers[index];
    return answer?.status === 'fulfilled' && answer.value;
  });
  const failure = answers.find((answer) => answer.status === 'rejected');
  if (rejected.length === 0 && failure) throw failure.reason;
  return rejected;
}

function merge(sum: AuthPatch, patch: AuthPatch): AuthPatch {
  const { headers, query, cookies, form } = patch;
  return {
    ...sum,
    ...(headers && { headers: { ...sum.headers, ...headers } }),
    ...(query && { query: [...(sum.query ?? []), ...query] }),
    ...(cookies && { cookies: { ...sum.cookies, ...cookies } }),
    ...(form && { form: [...(sum.form ?? []), ...form] }),
  };
}

/** `request` as the next strategy sees it. */
function patchedRequest(request: AuthRequest, patch: AuthPatch): AuthRequest & Patched {
  const { headers = {}, query, cookies = {}, form = [] } = patch;
  const added = new Map(Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value]));
  const cookieHeader = Object.keys(cookies).length > 0 ? appendCookies(request.headers.get('cookie'), cookies) : null;
  if (cookieHeader !== null) added.set('cookie', cookieHeader);
  return {
    [callersRequest]: callersOwn(request),
    method: request.method,
    get url() {
      return appendQuery(request.url, query);
    },
    headers: { get: (header) => added.get(header.toLowerCase()) ?? request.headers.get(header) },
    ...(form.length > 0 ? { body: appendForm(request.body, form) } : request.body === undefined ? {} : { body: request.body }),
    replayable: request.replayable,
    attempt: request.attempt,
  };
}

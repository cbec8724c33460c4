import type { AuthEvent, TokenSet } from '@authseam/core';

/** Who is told of what an object's methods show. */
export interface Watcher {
  onEvent(event: AuthEvent): void;
  onError(error: unknown): void;
  onTokens(set: TokenSet): void;
}

/** `subject` with methods that tell the watcher what they reject with or answer; what they make, sessions say, is watched too. */
export function watched<Subject extends object>(subject: Subject, watcher: Watcher): Subject {
  const members = new Map<string, unknown>();
  for (const owner of [Object.getPrototypeOf(subject) as object, subject]) {
    if (owner === Object.prototype) continue;
    for (const name of Object.getOwnPropertyNames(owner)) members.set(name, Reflect.get(owner, name, subject));
  }
  members.delete('constructor');
  const wrapped = [...members].map(([name, value]) => [
    name,
    typeof value === 'function' ? watchedMethod(name, value.bind(subject), watcher) : value,
  ]);
  return Object.freeze(Object.fromEntries(wrapped)) as Subject;
}

function watchedMethod(name: string, method: (...args: unknown[]) => unknown, watcher: Watcher): (...args: unknown[]) => unknown {
  const failed = (error: unknown): never => {
    watcher.onError(error);
    throw error;
  };
  const answered = (value: unknown): unknown => {
    const isObject = typeof value === 'object' && value !== null;
    if (isObject && typeof (value as TokenSet).accessToken === 'string') watcher.onTokens(value as TokenSet);
    return isObject && 'authorize' in value ? watched(value, watcher) : value;
  };
  return (...args) => {
    const given = name === 'getToken' ? [{ emit: watcher.onEvent, ...(args[0] as object | undefined) }] : args;
    try {
      const result = method(...given);
      return result instanceof Promise ? result.then(answered, failed) : answered(result);
    } catch (error) {
      return failed(error);
    }
  };
}

import { appendCookies } from '../apply-patch.ts';
import type { AuthPatch } from '../auth-strategy.ts';
import type { Redirection } from '../redirect.ts';
import { headersBoundToOrigin, headersOfBody } from '../redirect.ts';

/** The caller's headers, whatever they came as; read without making a `Headers` of them. */
export class FetchHeaders {
  readonly init: HeadersInit | undefined;

  constructor(init: HeadersInit | undefined) {
    this.init = init;
  }

  /** The value of `name`, several joined by a comma, compared without case. */
  get(name: string): string | null {
    const { init } = this;
    if (init === undefined || init === null) return null;
    if (init instanceof Headers) return init.get(name);
    const wanted = name.toLowerCase();
    let found: string | null = null;
    if (Symbol.iterator in init) {
      for (const [key = '', value] of init) if (key.toLowerCase() === wanted) found = found === null ? String(value) : `${found}, ${value}`;
    } else {
      for (const key of Object.keys(init)) if (key.length === wanted.length && key.toLowerCase() === wanted) found = String(init[key]);
    }
    return found;
  }

  /** With the headers and cookies of `patch`, in the shape the caller used; the caller's own object is not touched. */
  with(patch: AuthPatch): HeadersInit | undefined {
    const added = patch.cookies === undefined ? patch.headers : { ...patch.headers, ...this.#cookies(patch.cookies) };
    const { init } = this;
    if (added === undefined) return init;
    if (init === undefined || init === null) return added;
    const kept = patch.cookies === undefined ? init : this.#without(['cookie']);
    return Symbol.iterator in kept ? [...(kept as Iterable<[string, string]>), ...Object.entries(added)] : { ...kept, ...added };
  }

  /** As they go on to the next hop. */
  after({ dropsBody, crossOrigin }: Redirection): FetchHeaders {
    const gone = [...(dropsBody ? headersOfBody : []), ...(crossOrigin ? headersBoundToOrigin : [])];
    return gone.length === 0 || !this.init ? this : new FetchHeaders(this.#without(gone));
  }

  #cookies(cookies: Record<string, string>): Record<string, string> {
    return Object.keys(cookies).length === 0 ? {} : { Cookie: appendCookies(this.get('cookie'), cookies) };
  }

  #without(names: readonly string[]): [string, string][] {
    const { init = [] } = this;
    const pairs = Symbol.iterator in init ? [...(init as Iterable<[string, string]>)] : Object.entries(init);
    return pairs.filter(([key]) => !names.includes(key.toLowerCase()));
  }
}

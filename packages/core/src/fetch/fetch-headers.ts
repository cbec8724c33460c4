import { appendCookies } from '../apply-patch.ts';
import type { AuthPatch } from '../auth-strategy.ts';

/** The caller's headers, whatever they came as; read without making a `Headers` of them. A class, since one is made for every request. */
export class FetchHeaders {
  readonly init: HeadersInit | undefined;

  constructor(init: HeadersInit | undefined) {
    this.init = init;
  }

  /** The value of `name`, several joined by a comma, compared without case. */
  get(name: string): string | null {
    const { init } = this;
    if (!init) return null;
    if (!(Symbol.iterator in init)) {
      for (const key in init) if (key.length === name.length && key.toLowerCase() === name.toLowerCase()) return String(init[key]);
      return null;
    }
    if (init instanceof Headers) return init.get(name);
    const wanted = name.toLowerCase();
    const values = [...init].filter(([key = '']) => key.toLowerCase() === wanted).map(([, value]) => value);
    return values.length > 0 ? values.join(', ') : null;
  }

  /** With the headers and cookies of `patch`, in the shape the caller used; the caller's own object is not touched. */
  with({ headers, cookies }: AuthPatch): HeadersInit | undefined {
    const cookieHeader = cookies && appendCookies(this.get('cookie'), cookies);
    const added = cookieHeader ? { ...headers, Cookie: cookieHeader } : headers;
    if (!added || !this.init) return added ?? this.init;
    const kept = cookieHeader ? this.without(['cookie']) : this.init;
    if (Symbol.iterator in kept) return [...(kept as Iterable<[string, string]>), ...Object.entries(added)];
    const all: Record<string, string> = { ...kept };
    for (const name in added) all[name] = added[name] as string; // two spreads in one literal cost twice this
    return all;
  }

  /** All but `names`, which are in lower case. */
  without(names: readonly string[]): [string, string][] {
    const { init = [] } = this;
    const pairs = Symbol.iterator in init ? [...(init as Iterable<[string, string]>)] : Object.entries(init);
    return pairs.filter(([key]) => !names.includes(key.toLowerCase()));
  }
}

import { appendCookies } from '../apply-patch.ts';
import type { AuthPatch } from '../auth-strategy.ts';

type HeadersInit = NonNullable<RequestInit['headers']>;

/** The caller's headers, whatever they came as; read without making a `Headers` of them. A class, since one is made for every request. */
export class FetchHeaders {
  init: HeadersInit | undefined;

  constructor(init: HeadersInit | undefined) {
    this.init = init;
  }

  /** The value of `name`, several joined as on the wire, compared without case. */
  get(name: string): string | null {
    const { init } = this;
    if (!init) return null;
    if (!(Symbol.iterator in init)) return getOwn(init as Record<string, string>, name);
    if (init instanceof Headers) return init.get(name);
    return joined(
      this.without([]).filter(([key]) => isSame(key, name)),
      name,
    );
  }

  /** With the headers and cookies of `patch`, in the shape the caller used; the caller's own object is not touched. */
  with({ headers, cookies }: AuthPatch): HeadersInit | undefined {
    const cookieHeader = cookies && appendCookies(this.get('cookie'), cookies);
    const added = cookieHeader ? { ...headers, Cookie: cookieHeader } : headers;
    if (!added || !this.init) return added ?? this.init;
    const kept = cookieHeader ? this.without(['cookie']) : this.init;
    if (Symbol.iterator in kept) return [...(kept as Iterable<[string, string]>), ...Object.entries(added)];
    const all: Record<string, string> = { ...(kept as Record<string, string>) };
    for (const name in added) all[name] = added[name] as string; // two spreads in one literal cost twice this
    return all;
  }

  /** All but `names`, which are in lower case. */
  without(names: readonly string[]): [string, string][] {
    const { init = [] } = this;
    const pairs = Symbol.iterator in init ? [...(init as Iterable<[string, string]>)] : Object.entries(init as Record<string, string>);
    return pairs.filter(([key = '']) => !names.includes(key.toLowerCase()));
  }

  /** Takes a copy, so that what the caller changes later has no effect. */
  hold(): void {
    if (this.init) this.init = this.without([]);
  }
}

function getOwn(headers: Record<string, string>, name: string): string | null {
  let found: string | undefined;
  for (const key in headers) {
    if (!isSame(key, name)) continue;
    if (found !== undefined)
      return joined(
        Object.entries(headers).filter(([other]) => isSame(other, name)),
        name,
      );
    found = String(headers[key]);
  }
  return found ?? null;
}

function isSame(key: string, name: string): boolean {
  return key.length === name.length && key.toLowerCase() === name.toLowerCase();
}

function joined(pairs: readonly [string, string][], name: string): string | null {
  return pairs.length > 0 ? pairs.map(([, value]) => value).join(isSame(name, 'cookie') ? '; ' : ', ') : null;
}

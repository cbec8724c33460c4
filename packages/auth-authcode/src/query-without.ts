/** The query of `url` without the parameters of these names, from its question mark on. All others keep their spelling, which `searchParams` would change. */
export function queryWithout({ search }: URL, names: readonly string[]): string {
  const nameOf = (pair: string): string => [...new URLSearchParams(`?${pair}`).keys()][0] ?? '';
  const pairs = search.slice(1).split('&');
  const rest = pairs.filter((pair) => !names.includes(nameOf(pair))).join('&');
  return rest && `?${rest}`;
}

// RQL, as little of it as a list of users needs: eq(field,value), in(field,a,b,…) and limit(count,offset), joined by `&`.

/** A user of Extra Horizon. */
export interface ExtraHorizonUser {
  readonly id: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
}

/** The user that credentials belong to, and the others of a small application. */
export function exampleUsers(email: string): readonly [ExtraHorizonUser, ...ExtraHorizonUser[]] {
  return [
    { id: '5f1a00000000000000000001', firstName: 'Jane', lastName: 'Example', email },
    { id: '5f1a00000000000000000002', firstName: 'Zoë (QA)', lastName: "O'Neil, Jr.", email: 'zoe+qa@example.com' },
    { id: '5f1a00000000000000000003', firstName: 'Jane', lastName: '100% & more', email: 'jane.m@example.com' },
  ];
}

/** One page of a list, as Extra Horizon pages it. */
export interface UserPage {
  readonly page: { readonly total: number; readonly offset: number; readonly limit: number };
  readonly data: readonly ExtraHorizonUser[];
}

/** The users that a query string selects; `undefined` when it is no RQL. */
export function selectUsers(users: readonly ExtraHorizonUser[], query: string): UserPage | undefined {
  let selected = users;
  let [limit, offset] = [20, 0];
  for (const term of query.split('&').filter((part) => part !== '')) {
    const [, operator, list = ''] = /^([a-z]+)\((.*)\)$/.exec(decodedOperator(term)) ?? [];
    const [field = '', ...values] = list.split(',').map(decodeURIComponent);
    if (operator === 'limit' && values.length <= 1) [limit, offset] = [Number(field), Number(values[0] ?? 0)];
    else if ((operator === 'eq' && values.length === 1) || (operator === 'in' && values.length > 0)) {
      selected = selected.filter((user) => values.includes(`${user[field as keyof ExtraHorizonUser]}`));
    } else return undefined;
  }
  if (![limit, offset].every((number) => Number.isSafeInteger(number) && number >= 0)) return undefined;
  return { page: { total: selected.length, offset, limit }, data: selected.slice(offset, offset + limit) };
}

/** Clients differ in whether they encode the outer parentheses and the commas; a comma inside a value is encoded twice then. */
function decodedOperator(term: string): string {
  return /%28/i.test(term) && !term.includes('(') ? decodeURIComponent(term) : term;
}

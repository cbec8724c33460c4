/** A frozen server with members added or replaced. Getters stay live, which `{ ...server }` would read once. */
export function extendServer<Base extends object, Members extends object>(
  server: Base,
  members: Members,
): Readonly<Omit<Base, keyof Members> & Members> {
  const descriptors = { ...Object.getOwnPropertyDescriptors(server), ...Object.getOwnPropertyDescriptors(members) };
  return Object.freeze(Object.create(Object.prototype, descriptors));
}

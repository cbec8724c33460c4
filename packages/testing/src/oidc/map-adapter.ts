import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** oidc-provider's storage in Maps that live as long as one server: its own in-memory adapter shares one store and warns on the console. */
export function mapAdapter(): AdapterFactory {
  const models = new Map<string, Map<string, Stored>>();
  const entriesOf = (name: string) => {
    const entries = models.get(name) ?? new Map<string, Stored>();
    models.set(name, entries);
    return entries;
  };
  return (name) => adapterOf(entriesOf(name), () => [...models.values()]);
}

interface Stored {
  readonly payload: AdapterPayload;
  readonly expiresAtMs: number;
}

function adapterOf(entries: Map<string, Stored>, allModels: () => readonly Map<string, Stored>[]): Adapter {
  const live = (stored: Stored | undefined) => (stored !== undefined && stored.expiresAtMs > Date.now() ? stored.payload : undefined);
  const findBy = (key: 'uid' | 'userCode', value: string) => live([...entries.values()].find(({ payload }) => payload[key] === value));

  return {
    async upsert(id, payload, expiresInSeconds = Number.POSITIVE_INFINITY) {
      entries.set(id, { payload, expiresAtMs: Date.now() + expiresInSeconds * 1000 });
    },
    find: async (id) => live(entries.get(id)),
    findByUid: async (uid) => findBy('uid', uid),
    findByUserCode: async (userCode) => findBy('userCode', userCode),
    async consume(id) {
      const stored = entries.get(id);
      if (stored !== undefined) stored.payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      entries.delete(id);
    },
    async revokeByGrantId(grantId) {
      for (const model of allModels()) {
        for (const [id, { payload }] of model) if (payload.grantId === grantId) model.delete(id);
      }
    },
  };
}

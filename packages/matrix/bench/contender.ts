/** What a contender does with one request: authorize it and pass it to its transport. */
export type Call = (url: string, init: RequestInit) => Promise<unknown>;

/** One way to put a credential on a request. */
export interface Contender {
  readonly name: string;
  /** `'reference'`: what the others are measured against. */
  readonly role: 'reference' | 'ours' | 'peer';
  /** Builds the client, with its token already cached. */
  setup(): Promise<Call>;
}

/** The cached credential of every contender. */
export const credential = { accessToken: 'an-access-token-of-ordinary-length-0123456789abcdef', lifetimeMs: 3_600_000 } as const;

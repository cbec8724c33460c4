/** An instance of a client as its user calls it. */
export type Client<Init> = (url: string, init: Init) => Promise<unknown>;

/** One way to put a credential on the requests of one HTTP client. */
export interface ClientContender<Init> {
  readonly name: string;
  /** `'bare'`: no credential at all. `'hand-written'`: what ours are measured against. `'partial'`: for information, does less than ours do. */
  readonly role: 'bare' | 'hand-written' | 'partial' | 'ours';
  /** Gets another token after a 401, and sends again. */
  readonly recovers: boolean;
  /** Makes what instances can share, with its token already cached, and answers with a maker of instances. */
  setup(): Promise<() => Client<Init>>;
}

/** One client's contenders, and what they send. */
export interface LineUp<Init> {
  readonly client: 'axios' | 'ky';
  readonly contenders: readonly ClientContender<Init>[];
  readonly requests: Readonly<Record<'GET' | 'POST', readonly [url: string, init: Init]>>;
}

/** Where every request goes. */
export const home = 'https://api.example.com';
export const path = '/v1/items/42';
/** What every POST carries. */
export const item = { name: 'example', count: 3 } as const;

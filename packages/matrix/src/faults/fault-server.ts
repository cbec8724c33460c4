import { type LoopbackServer, loopbackServer, plantSecret, type ReceivedRequest, type ServerOptions } from '@authseam/testing';

/** A token endpoint for client credentials, an API, and a place where nothing should arrive. */
export interface FaultServer extends LoopbackServer {
  readonly tokenEndpoint: string;
  /** `GET` and `POST`; answers with the body that it got. */
  readonly api: string;
  /** Another origin. */
  readonly elsewhere: LoopbackServer;
  /** How many token requests arrived. */
  readonly tokenRequests: number;
  /** How many API requests arrived. */
  readonly calls: number;
  /** The tokens that were issued, the newest last. */
  readonly issued: readonly string[];
  /** Refuses every token issued so far from now on. */
  revokeTokens(): void;
}

/** What a server of {@link faultServer} may be told. */
export interface FaultServerOptions extends ServerOptions {
  /** Of its tokens. Default 3600. */
  readonly lifetimeSeconds?: number;
}

/** Starts a {@link FaultServer}. A token that it did not issue, such as one that a fault's answer made up, it takes all the same. */
export async function faultServer({ lifetimeSeconds = 3600, now = Date.now, ...options }: FaultServerOptions = {}): Promise<FaultServer> {
  const expiries = new Map<string, number>();
  const elsewhere = await loopbackServer({ routes: { '*': { purpose: 'elsewhere', handle: () => ({ body: {} }) } } });
  const issue = (): object => {
    const token = plantSecret('issued token');
    expiries.set(token, now() + lifetimeSeconds * 1000);
    return { access_token: token, token_type: 'Bearer', expires_in: lifetimeSeconds };
  };
  const api = ({ headers, text }: ReceivedRequest): { status?: number; body: object } => {
    const token = (headers['authorization'] ?? '').replace(/^\w+ /, '');
    if (token === '' || now() >= (expiries.get(token) ?? Number.POSITIVE_INFINITY)) return { status: 401, body: { me: 'nobody' } };
    return { body: { me: 'ok', text } };
  };
  const server = await loopbackServer({
    ...options,
    now,
    routes: {
      'POST /token': { purpose: 'token', handle: () => ({ body: issue() }) },
      'GET /me': api,
      'POST /me': api,
      '*': { purpose: 'elsewhere', handle: () => ({ body: {} }) },
    },
  });
  const count = (route: string): number => server.requests.filter((request) => request.route === route).length;
  const close = async (): Promise<void> => void (await Promise.all([server.close(), elsewhere.close()]));
  return Object.freeze({
    ...server,
    tokenEndpoint: `${server.origin}/token`,
    api: `${server.origin}/me`,
    elsewhere,
    get openSockets() {
      return server.openSockets;
    },
    get pendingFaults() {
      return server.pendingFaults;
    },
    get tokenRequests() {
      return count('token');
    },
    get calls() {
      return count('api');
    },
    get issued() {
      return [...expiries.keys()];
    },
    revokeTokens() {
      for (const token of expiries.keys()) expiries.set(token, 0);
    },
    close,
    [Symbol.asyncDispose]: close,
  });
}

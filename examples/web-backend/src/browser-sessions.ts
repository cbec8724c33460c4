import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthorizationTransaction } from '@authseam/auth-authcode';

/** What the server remembers of one browser. Nothing of it but the id goes there. */
export interface BrowserSession {
  /** The cookie's value. Another one after each sign-in, so that nobody can plant theirs. */
  id: string;
  /**
   * Whose tokens: the subject of this browser's strategy. Not the id, which would lie in the token store then, and not the user: a browser
   * that did not sign in again must not gain from one that did, nor be signed out with it.
   */
  readonly subject: string;
  /** Who signed in, as the server names them. */
  user?: string | undefined;
  /** Where the last sign-in led, until that has worked: nobody is sent to sign in twice for the same. */
  cameFor?: string | undefined;
  /** Sign-ins under way, by state: there may be several tabs. */
  readonly pending: Map<string, PendingSignIn>;
}

/** What a callback is held against. */
interface PendingSignIn {
  readonly transaction: AuthorizationTransaction;
  /** One of the application's own paths. */
  readonly returnTo: string;
}

/** The sessions of all browsers: here in memory, so a restart signs everybody out. */
export interface BrowserSessions {
  /** The session that a request's cookie names, if there is one. */
  of(request: IncomingMessage): BrowserSession | undefined;
  /** Starts a session, or gives one a new id and its whole time: the old id is worth nothing any more. */
  open(response: ServerResponse, session?: BrowserSession): BrowserSession;
  end(response: ServerResponse, session: BrowserSession): void;
}

const HOUR_MS = 3_600_000;

/**
 * @param isSecure Whether browsers come over https: the cookie is for nothing else then.
 * @param onExpired Told of each session that ran out: 8 hours after its sign-in, an hour after it began without one.
 */
export function browserSessions(isSecure: boolean, onExpired: (session: BrowserSession) => void): BrowserSessions {
  const sessions = new Map<string, BrowserSession>();
  // The prefix makes browsers refuse one that a neighbouring host or an http page has set (RFC 6265bis §4.1.3.2).
  const name = isSecure ? '__Host-session' : 'session';
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`; // Lax: the callback comes from another site

  return Object.freeze({
    of({ headers }: IncomingMessage) {
      const pairs = headers.cookie?.split('; ') ?? [];
      return sessions.get(pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '');
    },
    open(response: ServerResponse, session: BrowserSession = { id: '', subject: randomUUID(), pending: new Map() }) {
      sessions.delete(session.id);
      const id = randomBytes(32).toString('base64url');
      sessions.set(id, Object.assign(session, { id }));
      const expire = () => sessions.delete(id) && onExpired(session);
      setTimeout(expire, session.user === undefined ? HOUR_MS : 8 * HOUR_MS).unref();
      response.setHeader('Set-Cookie', `${name}=${id}; ${attributes}`);
      return session;
    },
    end(response: ServerResponse, { id }: BrowserSession) {
      sessions.delete(id);
      response.setHeader('Set-Cookie', `${name}=; ${attributes}; Max-Age=0`);
    },
  });
}

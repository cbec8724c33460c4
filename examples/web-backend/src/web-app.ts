import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { withAuth } from '@authseam/adapter-fetch';
import type { AuthorizationCode } from '@authseam/auth-authcode';
import { type AuthorizationHints, type Awaitable, isAuthError } from '@authseam/core';
import { type BrowserSession, browserSessions } from './browser-sessions.ts';
import { type Answer, html, page, redirect, send } from './page.ts';
import type { Server } from './which-server.ts';

/** What the application works with. */
export interface WebAppOptions {
  /** Its `redirectUri` is `/callback` of this application. */
  readonly auth: AuthorizationCode;
  readonly server: Pick<Server, 'whoAmIUrl' | 'transferUrl'>;
  /** Told of everything that ends in a page with status 500 and up. */
  readonly report: (error: unknown) => void;
}

/** One request. */
interface Visit {
  readonly url: URL;
  readonly response: ServerResponse;
  readonly session: BrowserSession | undefined;
}

/** So many sign-ins a browser may have under way; the oldest gives way. */
const MOST_PENDING = 5;

/** Signs people in and calls an API on behalf of each. Answers every request; what it throws is a page. */
export function webApp({ auth, server, report }: WebAppOptions): RequestListener {
  const { origin, protocol } = new URL(auth.redirectUri);
  const sessions = browserSessions(protocol === 'https:', ({ user, subject }) => {
    if (user !== undefined) auth.signOut({ subject }).catch(report); // else their tokens would stay in the store
  });

  const routes: Readonly<Record<string, (visit: Visit) => Awaitable<Answer>>> = {
    'GET /': ({ session }) => (session?.user === undefined ? page(200, 'Welcome', SIGN_IN) : page(200, 'Welcome', homeOf(session.user))),
    'GET /login': (visit) => signIn(visit, '/'),
    'GET /callback': callback,
    'GET /me': (visit) =>
      onBehalf(visit, '/me', async (api) => page(200, 'Who you are', html`<p>${await textOf(api(server.whoAmIUrl))}</p>`)),
    'GET /transfer': ({ session }) => (session?.user === undefined ? redirect('/') : page(200, 'Transfer', TRANSFER)),
    'POST /transfer': (visit) =>
      onBehalf(visit, '/transfer', async (api) => page(200, 'Transferred', html`<p>${await textOf(api(server.transferUrl, POST))}</p>`)),
    'POST /logout': logout,
  };

  /** Sends the browser off to sign in. `returnTo` is never what a request says: this is no open redirector. */
  async function signIn({ response, session }: Visit, returnTo: string, hints: AuthorizationHints = {}): Promise<Answer> {
    const { url, transaction } = await auth.createAuthorizationUrl(hints);
    const { pending } = session ?? sessions.open(response);
    for (const state of [...pending.keys()].slice(0, 1 - MOST_PENDING)) pending.delete(state);
    pending.set(transaction.state, { transaction, returnTo });
    return redirect(url);
  }

  async function callback({ url, response, session }: Visit): Promise<Answer> {
    const state = url.searchParams.get('state') ?? '';
    const begun = session?.pending.get(state);
    if (!session || !begun) return page(400, 'This sign-in is over', `<p>It was used before, or began in another browser.</p>${SIGN_IN}`);
    session.pending.delete(state); // before anything is awaited: one callback each
    const { idToken } = await auth.handleCallback(url, begun.transaction, { subject: session.subject });
    Object.assign(session, { user: userOf(idToken), cameFor: begun.returnTo });
    sessions.open(response, session);
    return redirect(begun.returnTo);
  }

  /** Calls the API for who is signed in. Where only a person can help, they sign in (again), and come back to `path`. */
  async function onBehalf(visit: Visit, path: string, work: (api: typeof fetch) => Promise<Answer>): Promise<Answer> {
    const { session } = visit;
    if (session?.user === undefined) return signIn(visit, path);
    const isAgain = session.cameFor === path;
    session.cameFor = undefined;
    try {
      return await work(withAuth(fetch, auth.session(session.subject)));
    } catch (error) {
      if (!isAuthError(error, 'INTERACTION_REQUIRED')) throw error;
      if (isAgain) return page(403, 'Not for you', '<p>The API wants more than signing in has given you.</p>');
      if (!error.error?.startsWith('insufficient_')) session.user = undefined; // the server has ended the sign-in
      return signIn(visit, path, error.authorization);
    }
  }

  async function logout({ response, session }: Visit): Promise<Answer> {
    if (session?.user === undefined) return redirect('/');
    sessions.end(response, session); // first: whatever fails below, this browser is signed out
    const { logoutUrl } = await auth.signOut({ subject: session.subject, postLogoutRedirectUri: `${origin}/` });
    return redirect(logoutUrl ?? '/');
  }

  async function answerTo(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const { method } = request;
    const url = URL.parse(request.url ?? '', origin);
    const route = url && routes[`${method} ${url.pathname}`];
    if (!route) return page(404, 'Nothing here', '');
    // SameSite cookies come from every port and subdomain of this site; the Origin header tells them apart.
    if (method !== 'GET' && request.headers.origin !== origin) return page(403, 'From another site', '<p>Nothing was done.</p>');
    try {
      return await route({ url, response, session: sessions.of(request) });
    } catch (error) {
      return problemPage(error, report);
    }
  }

  return async (request, response) => send(response, await answerTo(request, response));
}

const SIGN_IN = '<p><a href="/login">Sign in</a></p>';
const TRANSFER = '<form method="post" action="/transfer"><button>Transfer the money</button></form>';
const POST: RequestInit = { method: 'POST' };

function homeOf(user: string): string {
  const links = '<p><a href="/me">Who am I?</a> <a href="/transfer">Transfer</a></p>';
  return html`<p>You are signed in as ${user}.</p>` + links + '<form method="post" action="/logout"><button>Sign out</button></form>';
}

/** What an API said. @throws where it did not say yes. */
async function textOf(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  if (!response.ok) throw new Error(`The API answered ${response.status}.`);
  return response.text();
}

/** `sub` of an ID token that was verified when it came: with the issuer it is the only name of a person that never changes hands. */
function userOf(idToken = ''): string {
  const { sub } = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as { sub: string };
  return sub;
}

function problemPage(error: unknown, report: WebAppOptions['report']): Answer {
  if (isAuthError(error, 'AUTHORIZATION_REFUSED')) return page(403, 'Not signed in', `<p>You, or the server, said no.</p>${SIGN_IN}`);
  if (isAuthError(error, 'CALLBACK_REJECTED')) return page(400, 'Not signed in', `<p>The answer is not to this sign-in.</p>${SIGN_IN}`);
  report(error);
  return page(502, 'Something does not answer', '<p>Please try again in a minute.</p>');
}

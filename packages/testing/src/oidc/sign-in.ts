import { type CookieJar, cookieJar } from './cookie-jar.ts';
import { firstForm, type HtmlForm } from './html-form.ts';

/** Options of {@link signIn}. */
export interface SignInOptions {
  /** Who signs in. Default: whom the login page suggests, the server's first user. */
  readonly user?: string;
  /** The scopes that the person agrees to. Default: all that the consent page lists. */
  readonly consent?: readonly string[];
  /** The person says no at the first page, which gives `error=access_denied`. Default false. */
  readonly deny?: boolean;
  /** The browser's cookies: a jar that was used before is already signed in. Default: a new, empty one. */
  readonly cookies?: CookieJar;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
}

/** Where the authorization server sent the browser. */
export interface SignInResult {
  /** The redirect URI with its parameters; with `response_mode=form_post` the bare URI. */
  readonly callbackUrl: string;
  /** What the browser would post there, with `response_mode=form_post` only. */
  readonly form?: URLSearchParams;
}

/**
 * Does what a person with a browser would do with an authorization URL of {@link oidcServer}, {@link sdkServer} or
 * {@link hostileAuthorizationServer}: follows redirects, keeps cookies, fills in the login and consent forms, and stops where the server
 * sends the browser to another origin. It never requests the callback. An end-session URL works the same: a person confirms it.
 *
 * @throws Error when the server shows an error page, or no page that could be answered, instead of sending the browser back.
 *
 * @example
 * ```ts
 * import { oidcServer, signIn } from '@authseam/testing';
 *
 * await using server = await oidcServer();
 * const query = new URLSearchParams({ response_type: 'code', client_id: server.clientId, redirect_uri: server.redirectUri, scope: 'openid',
 *   code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' });
 * const { callbackUrl } = await signIn(`${server.authorizationEndpoint}?${query}`, { user: 'bob' });
 * console.log(new URL(callbackUrl).searchParams.get('code'));
 * ```
 */
export async function signIn(url: string | URL, options: SignInOptions = {}): Promise<SignInResult> {
  const { cookies = cookieJar(), deny = false } = options;
  const { origin } = new URL(url);
  let visit: Visit = { url: new URL(url) };
  let isAsked = false;
  // More steps than any sign-in takes: login, a change of users, consent, and the redirects between them.
  for (let step = 0; step < 20; step += 1) {
    const { status, html, next } = await open(visit, cookies, options);
    const form = next === undefined ? firstForm(html) : undefined;
    const asks = form?.fields.some(({ name }) => name === 'decision') ?? false;
    // A form that submits itself takes even an error back to the application.
    if (next === undefined && (form === undefined || (status >= 400 && asks))) throw deadEnd(visit.url, status, html);
    isAsked ||= asks;
    visit = form === undefined ? { url: new URL(next ?? '', visit.url) } : submission(form, visit.url, options);
    if (visit.url.origin === origin) continue;
    if (deny && !isAsked) throw new Error(`${origin} sent the browser back without asking, so nobody could say no`);
    return { callbackUrl: visit.url.href, ...(visit.form === undefined ? {} : { form: visit.form }) };
  }
  throw new Error(`${origin} sent the browser around without end`);
}

interface Visit {
  readonly url: URL;
  /** Posted when there is one. */
  readonly form?: URLSearchParams;
}

async function open({ url, form }: Visit, cookies: CookieJar, { fetch: send = fetch, signal }: SignInOptions): Promise<Page> {
  const cookie = cookies.header(url);
  const headers = { Accept: 'text/html', ...(cookie === '' ? {} : { Cookie: cookie }) };
  const body = form === undefined ? {} : { method: 'POST', body: form };
  const response = await send(url.href, { redirect: 'manual', headers, ...body, ...(signal === undefined ? {} : { signal }) });
  cookies.keep(url, response.headers);
  const { status } = response;
  return { status, html: await response.text(), next: response.headers.get('location') ?? undefined };
}

interface Page {
  readonly status: number;
  readonly html: string;
  /** Where it redirects to. */
  readonly next: string | undefined;
}

/** A form as the person leaves it. */
function submission(form: HtmlForm, url: URL, { user, consent, deny = false }: SignInOptions): Visit {
  const values = new URLSearchParams();
  for (const { type, name, value, isChecked } of form.fields) {
    const isLeft =
      type === 'submit' ? name === '' || value !== (deny ? 'deny' : 'allow') : type === 'checkbox' && !agrees(isChecked, value);
    if (!isLeft) values.append(name, name === 'user' ? (user ?? value) : value);
  }
  // An empty action is the page's own URL.
  const target = new URL(form.action === '' ? url.href : form.action, url);
  if (form.method === 'POST') return { url: target, form: values };
  target.search = values.toString();
  return { url: target };

  function agrees(isChecked: boolean, value: string): boolean {
    return consent === undefined ? isChecked : consent.includes(value);
  }
}

function deadEnd({ origin, pathname }: URL, status: number, html: string): Error {
  const words = html
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
  return new Error(`${origin}${pathname} answered ${status} and did not send the browser back: ${words}`);
}

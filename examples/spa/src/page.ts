import { completeSignIn, signIn } from '@authseam/auth-authcode/browser';
import { type AuthEvent, isAuthError } from '@authseam/core';
import { auth, redirectUri, whoAmI } from './api.ts';
import { view } from './view.ts';

const { VITE_EXPIRE_URL: expireUrl } = import.meta.env;

/** What is worth showing. Events hold generations of tokens, never tokens. */
const EVENTS: Partial<Record<AuthEvent['type'], string>> = {
  rejected: 'the API refused the token',
  'token-fetched': 'this tab refreshed it',
  'token-adopted': 'a token of another tab, or of before, was taken over',
};

function onEvent({ type }: AuthEvent): void {
  const text = EVENTS[type];
  if (text) view.addEvent(text);
}

async function load(): Promise<void> {
  const completed = await completeSignIn(auth);
  if (completed) history.replaceState(history.state, '', completed.returnTo);
  await call();
}

async function call(): Promise<void> {
  const answer = await whoAmI(onEvent);
  view.showAnswer(answer);
  view.show('signed-in', `Signed in as ${answer['name'] ?? answer['sub']}.`);
}

async function signOut(): Promise<void> {
  const { logoutUrl } = await auth.signOut({ postLogoutRedirectUri: redirectUri });
  view.show('signed-out', 'Signed out.');
  if (logoutUrl) location.assign(logoutUrl); // out of the server, too: else the next one at this computer is signed in with one click
}

async function expire(): Promise<void> {
  await fetch(expireUrl, { method: 'POST' });
  view.addEvent('the server let the token expire');
}

/** Shows how `work` ends when it does not end well. */
async function attempt(work: () => Promise<void>): Promise<void> {
  view.showProblem(undefined);
  try {
    await work();
  } catch (error) {
    const isSignedOut = isAuthError(error, 'INTERACTION_REQUIRED');
    if (!isSignedOut) view.showProblem(error instanceof Error ? error.message : String(error));
    if (isSignedOut || view.state === 'loading') view.show('signed-out', 'Nobody is signed in.');
  }
}

view.on('sign-in', () => attempt(() => signIn(auth)));
view.on('call', () => attempt(call));
view.on('sign-out', () => attempt(signOut));
view.on('expire', expireUrl ? () => attempt(expire) : undefined);

// Who signs in or out in one tab has done so in all of them.
addEventListener('storage', ({ storageArea, key, oldValue, newValue }) => {
  const isSignIn = storageArea === localStorage && (key === null || key.startsWith('authseam:'));
  if (isSignIn && (oldValue === null) !== (newValue === null)) location.reload();
});

// The back button brings the page as it was, which may be long ago.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) void attempt(call);
});

void attempt(load);

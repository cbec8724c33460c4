import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type BrowserSession, browserSessions } from './browser-sessions.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const HOUR_MS = 3_600_000;
const request = (cookie = ''): IncomingMessage => Object.assign(new IncomingMessage(new Socket()), { headers: { cookie } });
const response = () => new ServerResponse(request());

test('sessions end by themselves: an hour after they began, 8 hours after the sign-in', () => {
  const expired: BrowserSession[] = [];
  const sessions = browserSessions(false, (session) => expired.push(session));
  const [anonymous, signedIn] = [sessions.open(response()), sessions.open(response())];
  const of = ({ id }: BrowserSession) => sessions.of(request(`session=${id}`));
  vi.advanceTimersByTime(HOUR_MS - 1);
  sessions.open(response(), Object.assign(signedIn, { user: 'alice' }));
  expect([of(anonymous), of(signedIn)]).toEqual([anonymous, signedIn]);
  vi.advanceTimersByTime(1);
  expect([of(anonymous), of(signedIn), expired]).toEqual([undefined, signedIn, [anonymous]]);
  vi.advanceTimersByTime(8 * HOUR_MS);
  expect([of(signedIn), expired]).toEqual([undefined, [anonymous, signedIn]]);
});

test('a session that was ended does not run out as well', () => {
  const expired: BrowserSession[] = [];
  const sessions = browserSessions(false, (session) => expired.push(session));
  sessions.end(response(), sessions.open(response()));
  vi.advanceTimersByTime(9 * HOUR_MS);
  expect(expired).toEqual([]);
});

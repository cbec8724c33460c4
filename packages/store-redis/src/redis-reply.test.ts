import { expect, it } from 'vitest';
import { describeReply, replyCode } from './redis-reply.ts';

it.each([
  ['READONLY You can’t write against a read only replica.', 'READONLY'],
  ['NOSCRIPT No matching script. Please use EVAL.', 'NOSCRIPT'],
  ['ERR unknown command', 'ERR'],
  ['connect ECONNREFUSED 127.0.0.1:6379', undefined],
  ['Socket closed unexpectedly', undefined],
  ['Connection is closed.', undefined],
  ["Stream isn't writeable and enableOfflineQueue options is false", undefined],
  ['', undefined],
])('%j: its code is %j', (message, code) => {
  expect(replyCode(new Error(message))).toBe(code);
});

it('leaves out the arguments that Redis quotes', () => {
  const quoted = new Error("ERR unknown command 'EVALSHA', with args beginning with: '5f' '1' 'an access token'");
  expect(describeReply(quoted, 'ERR')).toBe('Redis answered ERR unknown command …');
});

it('says what to do where that is known, and nothing that Redis said', () => {
  expect(describeReply(new Error('OOM command not allowed'), 'OOM')).toBe('Redis answered OOM: it has no memory left');
});

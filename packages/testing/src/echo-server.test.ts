import { expect, test } from 'vitest';
import { echoServer } from './echo-server.ts';
import { serverJournal } from './server-journal.ts';

test('answers with what it received', async () => {
  await using server = await echoServer();
  const body = new Uint8Array([0xff, 0x41]);
  const answer = await fetch(`${server.origin}/any/path?q=%7e`, { method: 'PATCH', headers: { 'X-One': 'é' }, body });
  expect(await answer.json()).toEqual({
    method: 'PATCH',
    url: `${server.origin}/any/path?q=%7e`,
    headers: expect.arrayContaining([['X-One', 'é']]),
    bodyBase64: '/0E=',
    text: '\ufffdA',
  });
});

test.each([301, 302, 303, 307, 308])('redirects with %i to another origin', async (status) => {
  const journal = serverJournal();
  await using one = await echoServer({ journal });
  await using two = await echoServer({ journal });
  const url = `${one.origin}/redirect/${status}?to=${encodeURIComponent(`${two.origin}/there?x=1`)}`;
  const answer = await fetch(url, { method: 'POST', body: 'payload' });
  expect(answer.redirected).toBe(true);
  expect(await answer.json()).toMatchObject({
    method: status < 307 ? 'GET' : 'POST',
    url: `${two.origin}/there?x=1`,
    text: status < 307 ? '' : 'payload',
  });
  expect(one.requests.map(({ route }) => route)).toEqual(['redirect', 'echo']);
});

test('a Location is relative, or repeats the rest of the query raw, when asked to', async () => {
  await using server = await echoServer();
  const location = async (query: string) =>
    (await fetch(`${server.origin}/redirect/302?${query}`, { redirect: 'manual' })).headers.get('location');
  expect(await location('to=../here')).toBe('../here');
  expect(await location('to=/here&api_key=k%7e')).toBe('/here');
  expect(await location('to=/here&api_key=k%7e&repeatQuery=1')).toBe('/here?api_key=k%7e');
  expect(await location('api_key=k&repeatQuery=1&to=%2Fhere%3Fa=1')).toBe('/here?a=1&api_key=k');
  expect(await location('to=/here&repeatQuery=1')).toBe('/here');
  expect((await fetch(`${server.origin}/redirect/302`)).status).toBe(400);
});

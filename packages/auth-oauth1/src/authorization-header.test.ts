// RFC 5849 §3.5.1; RFC 9110 §5.6.4.
import { expect, it } from 'vitest';
import { authorizationHeader } from './authorization-header.ts';

it.each<[string | undefined, string]>([
  [undefined, 'OAuth oauth_token="a%20b", oauth_version="1.0"'],
  ['Photos', 'OAuth realm="Photos", oauth_token="a%20b", oauth_version="1.0"'],
  ['', 'OAuth realm="", oauth_token="a%20b", oauth_version="1.0"'],
  ['a "b" \\', 'OAuth realm="a \\"b\\" \\\\", oauth_token="a%20b", oauth_version="1.0"'],
])('with the realm %j', (realm, header) => {
  expect(
    authorizationHeader(
      [
        ['oauth_token', 'a%20b'],
        ['oauth_version', '1.0'],
      ],
      realm,
    ),
  ).toBe(header);
});

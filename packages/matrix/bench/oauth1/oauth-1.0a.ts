import { createHmac } from 'node:crypto';
import OAuth from 'oauth-1.0a';
import { credentials, type Signer } from './sign.ts';

const { consumerKey, consumerSecret, token, tokenSecret } = credentials;
const oauth = new OAuth({
  consumer: { key: consumerKey, secret: consumerSecret },
  signature_method: 'HMAC-SHA1',
  hash_function: (text, key) => createHmac('sha1', key).update(text).digest('base64'),
});

export const oauth10a: Signer = {
  name: 'oauth-1.0a',
  role: 'peer',
  // Its README's way. It writes to the data it is given when there is none, so it gets an object of its own.
  sign: ({ method, url, fields }) =>
    oauth.toHeader(oauth.authorize({ method, url, ...(fields && { data: fields }) }, { key: token, secret: tokenSecret })).Authorization,
};

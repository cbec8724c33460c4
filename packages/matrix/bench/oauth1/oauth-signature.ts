import { randomBytes } from 'node:crypto';
import oauthSignature from 'oauth-signature';
import { credentials, type Signer } from './sign.ts';

const { consumerKey, consumerSecret, token, tokenSecret } = credentials;

export const signatureOnly: Signer = {
  name: 'oauth-signature',
  role: 'peer',
  // It signs and does nothing else: nonce, timestamp, query and header are the caller's.
  sign({ method, url, fields }) {
    const protocol = {
      oauth_consumer_key: consumerKey,
      oauth_nonce: randomBytes(16).toString('hex'),
      oauth_signature_method: 'HMAC-SHA1',
      oauth_timestamp: String(Math.floor(Date.now() / 1000)),
      oauth_token: token,
      oauth_version: '1.0',
    };
    const [base = '', query] = url.split('?');
    const own = { ...(query && Object.fromEntries(new URLSearchParams(query))), ...fields };
    const signature = oauthSignature.generate(method, base, { ...own, ...protocol }, consumerSecret, tokenSecret);
    const pairs = Object.entries(protocol).map(([name, value]) => `${name}="${encodeURIComponent(value)}"`);
    return `OAuth ${pairs.join(', ')}, oauth_signature="${signature}"`;
  },
};

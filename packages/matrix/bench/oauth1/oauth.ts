import { OAuth } from 'oauth';
import { credentials, type Signer } from './sign.ts';

const { consumerKey, consumerSecret, token, tokenSecret } = credentials;
const client = new OAuth('', '', consumerKey, consumerSecret, '1.0', null, 'HMAC-SHA1');

export const oauth: Signer = {
  name: 'oauth',
  role: 'peer',
  sign: ({ method, url, fields }) => client._buildAuthorizationHeaders(client._prepareParameters(token, tokenSecret, method, url, fields)),
};

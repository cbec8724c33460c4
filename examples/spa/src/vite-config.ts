import { fileURLToPath } from 'node:url';
import { defaultClientConditions, type InlineConfig } from 'vite';
import type { SpaSettings } from './which-server.ts';

/** How Vite serves and builds the page. `expireUrl`: where the page can have its token expire, on a server that is made for that. */
export function viteConfig({ issuer, clientId, apiUrl, scope }: SpaSettings, expireUrl = ''): InlineConfig {
  const env = { VITE_ISSUER: issuer, VITE_CLIENT_ID: clientId, VITE_API_URL: apiUrl, VITE_SCOPE: scope, VITE_EXPIRE_URL: expireUrl };
  return {
    configFile: false,
    envDir: false,
    root: fileURLToPath(new URL('..', import.meta.url)),
    logLevel: 'error',
    define: Object.fromEntries(Object.entries(env).map(([name, value]) => [`import.meta.env.${name}`, JSON.stringify(value)])),
    // Sources instead of builds, as everywhere in this repository. An application of your own needs neither line.
    resolve: { conditions: ['@authseam/source', ...defaultClientConditions] },
    optimizeDeps: { noDiscovery: true },
    build: { target: 'es2023' },
  };
}

// Run it with `npx -y pnpm@12 -C examples/spa start`; set VITE_ISSUER, VITE_CLIENT_ID, VITE_API_URL and perhaps VITE_SCOPE to use a real server,
// where http://127.0.0.1:5173/ has to be registered as redirect URI, post-logout redirect URI and web origin.
import process from 'node:process';
import { createServer } from 'vite';
import { viteConfig } from './vite-config.ts';
import { whichServer } from './which-server.ts';

/** The page while it is being served. */
export interface RunningPage {
  readonly url: string;
  /** Whether it signs in at a server of its own. */
  readonly isEmbedded: boolean;
  close(): Promise<void>;
}

export async function main(port: number): Promise<RunningPage> {
  const url = `http://127.0.0.1:${port}/`;
  const { server, ...settings } = await whichServer(url);
  const vite = await createServer({
    ...viteConfig(settings, server && '/expire-tokens'),
    server: { host: '127.0.0.1', port, strictPort: true }, // redirect URIs are compared exactly
    plugins: [
      {
        name: 'expire-tokens',
        configureServer: ({ middlewares }) => {
          middlewares.use('/expire-tokens', (_request, response) => {
            server?.expireTokens();
            response.writeHead(204).end();
          });
        },
      },
    ],
  });
  const close = async (): Promise<void> => {
    await vite.close();
    await server?.close();
  };
  try {
    await vite.listen();
  } catch (error) {
    await close();
    throw error;
  }
  return { url, isEmbedded: server !== undefined, close };
}

if (import.meta.main) {
  const page = await main(Number(process.env['PORT'] ?? 5173));
  console.log(`Open ${page.url}${page.isEmbedded ? ' and sign in as alice or bob: there are no passwords' : ''}. Ctrl-C ends it.`);
  process.once('SIGINT', () => void page.close());
}

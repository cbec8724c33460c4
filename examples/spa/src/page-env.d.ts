/** What Vite puts into the page: vite-config.ts says where it comes from. */
interface ImportMetaEnv {
  readonly VITE_ISSUER: string;
  readonly VITE_CLIENT_ID: string;
  readonly VITE_API_URL: string;
  readonly VITE_SCOPE: string | undefined;
  readonly VITE_EXPIRE_URL: string;
}

interface ImportMeta {
  readonly env: ImportMetaEnv;
}

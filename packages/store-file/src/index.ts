export { type FileStoreOptions, fileStore } from './file-store.ts';
export { withEncryption } from './with-encryption.ts';

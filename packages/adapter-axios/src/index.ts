export { type AxiosLike, attachAuth } from './attach-auth.ts';

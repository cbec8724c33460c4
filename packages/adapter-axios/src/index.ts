export { attachAuth } from './attach-auth.ts';

export { fromOAuth10a, type OAuth10aInstance, type OAuth10aToken } from './from-oauth10a.ts';

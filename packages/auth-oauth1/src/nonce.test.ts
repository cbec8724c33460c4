// RFC 5849 §3.3.
import { expect, it, vi } from 'vitest';
import { createNonces } from './nonce.ts';

it('never repeats, has 26 letters and digits, and uses all of them', () => {
  const nonce = createNonces();
  const nonces = Array.from({ length: 20_000 }, nonce);
  expect(new Set(nonces).size).toBe(20_000);
  expect(nonces.every((one) => /^[a-z2-7]{26}$/.test(one))).toBe(true);
  expect(new Set(nonces.join('')).size).toBe(32);
});

it("comes from the platform's cryptographic random generator", () => {
  const source = vi.spyOn(crypto, 'getRandomValues').mockImplementation((bytes) => bytes);
  expect(createNonces()()).toBe('a'.repeat(26));
  expect(source).toHaveBeenCalledOnce();
  source.mockRestore();
});

/** What we use of `node:crypto`; this package is compiled without Node's types. */
export interface NodeCrypto {
  createHmac(hash: string, key: NodeKeyObject): NodeHash;
  createHash(hash: string): NodeHash;
  createSecretKey(key: Uint8Array): NodeKeyObject;
  createPrivateKey(key: string | { readonly key: object; readonly format: 'jwk' }): NodeKeyObject;
  sign(hash: string, data: Uint8Array, key: NodeKeyObject): Uint8Array & { toString(encoding: 'base64'): string };
}

interface NodeHash {
  update(data: string | Uint8Array): NodeHash;
  digest(encoding: 'base64'): string;
}

/** As much of Node's `KeyObject` as tells one from the other kinds of keys. */
export interface NodeKeyObject {
  readonly type: string;
  readonly asymmetricKeyType?: string | undefined;
  readonly asymmetricKeyDetails?: { readonly modulusLength?: number | undefined } | undefined;
}

/** `node:crypto` where the runtime has it (Node, Deno, Bun, workerd with nodejs_compat): it signs synchronously. WebCrypto serves elsewhere. */
export function nodeCrypto(): NodeCrypto | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;
}

export { adapterCases } from './adapter/adapter-cases.ts';
export type {
  Ability,
  AdapterOptions,
  AdapterSubject,
  BodyTransform,
  ClientBody,
  ClientFunction,
  ClientRequest,
  ClientResponse,
  ClientSettings,
  LateHook,
} from './adapter/adapter-subject.ts';
export type { ConformanceCase } from './conformance-case.ts';
export { ConformanceError } from './expectation.ts';
export { pairingCases } from './pairing/pairing-cases.ts';
export type { PairingSubject } from './pairing/pairing-subject.ts';
export { type StorePairingSubject, storePairingCases } from './pairing/store-pairing-cases.ts';
export { storeCases } from './store/store-cases.ts';
export type { StoreAbility, StoreSubject, StoreUnderTest } from './store/store-subject.ts';
export { strategyCases } from './strategy/strategy-cases.ts';
export type { StrategySettings, StrategySubject, StrategyUnderTest } from './strategy/strategy-subject.ts';

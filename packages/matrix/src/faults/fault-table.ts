import { constructionRows } from './construction.ts';
import { destinationRows } from './destinations.ts';
import type { FaultRow } from './fault-row.ts';
import { killRows } from './kills.ts';
import { lifetimeRows } from './lifetimes.ts';
import { rejectionRows } from './rejections.ts';
import { sharingRows } from './sharing.ts';
import { tokenAnswerRows } from './token-answers.ts';
import { tokenRefusalRows } from './token-refusals.ts';
import { transportRows } from './transport.ts';

/** Every row. */
export const faultTable: readonly FaultRow[] = [
  ...tokenRefusalRows,
  ...tokenAnswerRows,
  ...lifetimeRows,
  ...transportRows,
  ...constructionRows,
  ...destinationRows,
  ...rejectionRows,
  ...sharingRows,
  ...killRows,
];

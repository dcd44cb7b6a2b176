import { findRegion } from '../../regime/lookup';
import type { Stack } from '../resolve/stack';
import { isLiteral } from '../resolve/text';

/** One end of an edge before it is judged. */
export interface End {
  /** Text: a region's name or a mark; null where nothing at all says it. */
  readonly region: string | null;
  /** Text: an account or a mark; null where nothing says that it is another than the one at the other end. */
  readonly account: string | null;
  /** Known for itself, where an ARN says it although no region is given. */
  readonly partition: string | null;
  /** Why the region is not known, for people. */
  readonly why: string | null;
  /** The country of a place outside AWS, where it was declared. */
  readonly country?: string;
}

export const NOWHERE: End = { region: null, account: null, partition: null, why: null };

export function ownEnd(stack: Stack): End {
  return { region: stack.region, account: stack.account, partition: null, why: null };
}

export function unknownEnd(why: string): End {
  return { ...NOWHERE, why };
}

/** What a clue knows fills what the value left open, and never overrules it. */
export function filled(end: End, clue: End): End {
  const region = end.region === null || !isLiteral(end.region) ? (clue.region ?? end.region) : end.region;
  return {
    region,
    account: end.account === null || !isLiteral(end.account) ? (clue.account ?? end.account) : end.account,
    partition: end.partition ?? clue.partition,
    why: region === end.region ? end.why : clue.why,
    country: end.country ?? clue.country,
  };
}

/** The partition of a place: by its region where the region is known, else as the ARN says. */
export function partitionOfEnd(end: End): string | null {
  const known = end.region !== null && isLiteral(end.region) ? findRegion(end.region) : undefined;
  if (known !== undefined) return known.partition;
  return end.partition !== null && isLiteral(end.partition) ? end.partition : null;
}

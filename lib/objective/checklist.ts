/** The 3-2-1-1-0 rule of the backup trade, with the reason for each number. */
import { type Copy, type Home, isElsewhere, strongestLock } from './store';
import { type Drill, span } from './worst-case';

export interface Check {
  /** What it asks for, in the rule's order. */
  readonly item: '3 copies' | '2 stores' | '1 off-site' | '1 immutable' | '0 untested';
  /** Null where the declaration does not tell. */
  readonly ok: boolean | null;
  readonly reason: string;
}

/** A site nearer than this shares its disasters. */
const FAR_ENOUGH_KM = 100;

export function checklistOf(copies: readonly Copy[], home: Home, drill: Drill | null): readonly Check[] {
  if (copies.length === 0) {
    return ITEMS.map((item) => ({ item, ok: false, reason: 'there is no copy' }));
  }
  return [
    threeCopies(copies),
    twoStores(copies, home),
    offSite(copies, home),
    immutable(copies),
    untested(drill),
  ];
}

const ITEMS = ['3 copies', '2 stores', '1 off-site', '1 immutable', '0 untested'] as const;

function threeCopies(copies: readonly Copy[]): Check {
  const count = copies.length;
  return {
    item: '3 copies',
    ok: count >= 2,
    reason: `the live data and ${count} ${count === 1 ? 'copy' : 'copies'} of it${count < 2 ? ', 2 are asked for' : ''}`,
  };
}

/** Media are the provider's affair. What two media were for, that one fault or one stolen login takes one only, is not. */
function twoStores(copies: readonly Copy[], home: Home): Check {
  const item = '2 stores';
  const other = copies.filter(({ account }) => account !== null && account !== home.account);
  if (other.some(() => home.account !== null)) {
    return { item, ok: true, reason: `a copy is in another account, ${other[0]!.account}` };
  }
  if (copies.some(({ lock }) => lock === 'air-gapped')) {
    return {
      item,
      ok: true,
      reason: 'a copy is in a logically air-gapped vault, in an account of AWS Backup',
    };
  }
  const kinds = [...new Set(copies.map(({ kind }) => KINDS[kind]))];
  if (kinds.length > 1)
    return { item, ok: true, reason: `copies are kept by two services: ${kinds.join(', ')}` };
  const unknown = copies.some(({ account, lock }) => account === null || lock === 'unknown');
  return {
    item,
    ok: unknown ? null : false,
    reason: unknown
      ? 'the account of a copy, or the kind of its vault, is not known here'
      : 'every copy is kept by the same service in the same account: who may delete one may delete all',
  };
}

const KINDS: Readonly<Record<Copy['kind'], string>> = {
  vault: 'vaults of AWS Backup',
  snapshots: 'EBS snapshots',
  automated: 'backups of the service itself',
  archive: 'archives in a bucket',
};

function offSite(copies: readonly Copy[], home: Home): Check {
  const item = '1 off-site';
  const away = copies.filter((copy) => isElsewhere(copy, home) === true);
  const far = away.filter(({ km }) => km !== null && km >= FAR_ENOUGH_KM);
  if (far.length > 0) {
    const furthest = far[far.length - 1]!;
    return { item, ok: true, reason: `a copy is in ${furthest.region}, about ${furthest.km} km away` };
  }
  if (away.some(({ km }) => km === null)) {
    return {
      item,
      ok: null,
      reason: `a copy is in ${away[0]!.region}, and nobody publishes how far away that is`,
    };
  }
  if (away.length > 0) {
    return {
      item,
      ok: false,
      reason: `the copy in ${away[0]!.region} is ${away[0]!.km} km away, 100 km are asked for`,
    };
  }
  if (copies.some((copy) => isElsewhere(copy, home) === undefined)) {
    return { item, ok: null, reason: 'the region of a copy is not known here' };
  }
  return {
    item,
    ok: false,
    reason: `every copy is in the region of the data${home.region ? `, ${home.region}` : ''}`,
  };
}

function immutable(copies: readonly Copy[]): Check {
  const item = '1 immutable';
  switch (strongestLock(copies)) {
    case 'air-gapped':
      return { item, ok: true, reason: 'a copy is in a logically air-gapped vault' };
    case 'compliance':
      return { item, ok: true, reason: 'a copy is under a lock in compliance mode, which nobody can remove' };
    case 'governance':
      return {
        item,
        ok: false,
        reason: 'the best lock is in governance mode, which whoever has the permission can remove',
      };
    case 'unknown':
      return { item, ok: null, reason: 'the lock of a vault is not known here' };
    default:
      return { item, ok: false, reason: 'no copy is locked' };
  }
}

function untested(drill: Drill | null): Check {
  const item = '0 untested';
  if (drill === null) return { item, ok: false, reason: 'no restore is tested on a schedule' };
  const judged = drill.judged ? 'and judged' : 'and nobody judges what was restored';
  return {
    item,
    ok: true,
    reason: `a restore is tested every ${span(drill.everyMinutes)} by ${drill.name}, ${judged}`,
  };
}

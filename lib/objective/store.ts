import { separation } from '../regime/distance';

/** What keeps a recovery point from being deleted before its time. */
export type Lock = 'air-gapped' | 'compliance' | 'governance' | 'none' | 'unknown';

/** A place in which recovery points are kept. Two places are two copies. */
export interface Store {
  /** A vault of AWS Backup; EBS snapshots outside of vaults; backups that a service keeps itself; archives in a bucket. */
  readonly kind: 'vault' | 'snapshots' | 'automated' | 'archive';
  /** The vault's or bucket's name; null where there is none, or nobody knows it. */
  readonly name: string | null;
  readonly region: string | null;
  readonly account: string | null;
  readonly lock: Lock;
  /** How long recovery points are kept there; undefined is for ever. */
  readonly retentionDays?: number;
}

/** Where the protected resource is. */
export interface Home {
  readonly region: string | null;
  readonly account: string | null;
}

/** A store as seen from the resource. */
export interface Copy extends Store {
  /** Kilometres from the resource's region, 0 in the same one; null where it cannot be known. */
  readonly km: number | null;
}

/** Each store once, with its longest retention, nearest first. */
export function copiesOf(stores: readonly Store[], home: Home): readonly Copy[] {
  const byKey = new Map<string, Copy>();
  for (const store of stores) {
    const key = [store.kind, store.name, store.region, store.account].join('\n');
    const known = byKey.get(key);
    const longer =
      known === undefined || known.retentionDays === undefined
        ? store.retentionDays
        : store.retentionDays === undefined
          ? undefined
          : Math.max(known.retentionDays, store.retentionDays);
    const retentionDays = known !== undefined && known.retentionDays === undefined ? undefined : longer;
    byKey.set(key, { ...store, retentionDays, km: kilometres(home.region, store.region) });
  }
  return [...byKey.values()].sort((a, b) => (a.km ?? Number.MAX_VALUE) - (b.km ?? Number.MAX_VALUE));
}

function kilometres(from: string | null, to: string | null): number | null {
  if (from === null || to === null) return null;
  return from === to ? 0 : (separation(from, to)?.km ?? null);
}

/** Whether the loss of the resource's region leaves this store whole; undefined where that cannot be known. */
export function isElsewhere({ region }: Store, home: Home): boolean | undefined {
  if (region === null || home.region === null) return undefined;
  return region !== home.region;
}

/** Best first. */
const LOCKS: readonly Lock[] = ['air-gapped', 'compliance', 'governance', 'unknown', 'none'];

export function strongestLock(stores: readonly Store[]): Lock {
  return LOCKS.find((lock) => stores.some((store) => store.lock === lock)) ?? 'none';
}

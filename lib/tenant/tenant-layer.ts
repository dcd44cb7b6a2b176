import type { Store } from '../objective/store';
import type { Layer } from '../objective/worst-case';
import type { ExternalStore } from './external-store';
import type { ArchiveGenerations } from './tenant-backups-props';

export interface TenantLayerOptions {
  readonly gapMinutes: number;
  readonly runMinutes: number;
  readonly retentionDays: number;
  readonly generations?: ArchiveGenerations;
  readonly bucket: Pick<Store, 'name' | 'region' | 'account'>;
  readonly externalStores: readonly ExternalStore[];
}

/** The dumps as the objective arithmetic sees them: every store of a run is a copy. */
export function tenantLayer(options: TenantLayerOptions): Layer {
  const retentionDays = Math.max(options.retentionDays, generationDays(options.generations));
  return {
    name: 'tenant dumps',
    intervalMinutes: options.gapMinutes,
    startDelayMinutes: 0,
    startDelayReason: '',
    completionMinutes: options.runMinutes,
    retentionDays,
    stores: [
      // Object Lock in governance mode.
      { kind: 'archive', ...options.bucket, lock: 'governance', retentionDays },
      // Nothing of ours deletes there.
      ...options.externalStores.map(
        (store): Store => ({ kind: 'archive', ...store._place, lock: 'unknown', retentionDays }),
      ),
    ],
  };
}

/**
 * How far back generations reach for certain. The current day, week or month counts as one, and at its beginning the one
 * before it has just ended: of twelve months, ten whole ones.
 */
function generationDays({ daily = 0, weekly = 0, monthly = 0 }: ArchiveGenerations = {}): number {
  return Math.max(0, daily - 2, (weekly - 2) * 7, (monthly - 2) * 28);
}

import { randomBytes } from 'node:crypto';
import { tenantKey } from './tenant-key.js';

const shape = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z-[0-9a-f]{8}$/;

/** `20261120T150000.000Z-1a2b3c4d`: sorts by time, and two dumps in one millisecond still differ. */
export function newArchiveId(at: Date): string {
  return `${at.toISOString().replace(/[-:]/g, '')}-${randomBytes(4).toString('hex')}`;
}

/** The time in an id; undefined when it is no id of ours. */
export function timeOfArchiveId(id: string): Date | undefined {
  const [, year, month, day, hour, minute, second] = shape.exec(id) ?? [];
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

export function regimePrefix(regime: string): string {
  return `${regime}/`;
}

export function tenantPrefix(regime: string, tenant: string): string {
  return `${regimePrefix(regime)}${tenantKey(tenant)}/`;
}

/** The three objects of an archive; nothing else may lie beside them. */
export const PARTS = { data: 'data', manifest: 'manifest.json', seal: 'manifest.seal' } as const;

export function archivePrefix(place: { regime: string; tenant: string; archive: string }): string {
  return `${tenantPrefix(place.regime, place.tenant)}${place.archive}/`;
}

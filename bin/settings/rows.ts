// What is needed beside what is, and how people read it.
import { aligned } from '../../lib/residency/output/columns.js';
import { textOf } from '../../lib/residency/output/table.js';
import type { RegionSettings } from './account.js';

/** A setting that something needs. */
export interface Row {
  /** Null for the organization. */
  readonly region: string | null;
  readonly setting: 'opt-in' | 'advanced' | 'isCrossAccountBackupEnabled' | 'isMpaEnabled';
  /** The type of resource; null for the organization. */
  readonly type: string | null;
  /** Null where the region does not have it. */
  readonly on: boolean | null;
  readonly why: string;
}

export interface Shown {
  readonly account: string;
  readonly rows: readonly Row[];
  /** Everything, also what nothing needs. */
  readonly regions: Readonly<Record<string, RegionSettings>>;
  /** Places of the templates that are of another account. */
  readonly elsewhere: readonly string[];
  readonly applied: boolean;
}

export const missingOf = (rows: readonly Row[]) => rows.filter(({ on }) => on !== true);

const NAMES: Readonly<Record<Row['setting'], string>> = {
  'opt-in': 'backup of',
  advanced: 'advanced features of',
  isCrossAccountBackupEnabled: 'copies to other accounts',
  isMpaEnabled: 'multi-party approval',
};

export function settingName({ setting, type }: Pick<Row, 'setting' | 'type'>): string {
  return [NAMES[setting], type].filter((part) => part !== null).join(' ');
}

export function settingsTable({ account, rows, regions, elsewhere, applied }: Shown, width?: number): string {
  const lines = [`account ${account}`, ''];
  if (rows.length > 0) {
    const cells = rows.map((row) => [
      row.region ?? 'organization',
      settingName(row),
      row.on === null ? 'not there' : row.on ? 'on' : 'off',
      row.why,
    ]);
    lines.push(...aligned([['WHERE', 'NEEDED', 'IS', 'WHY'], ...cells], width), '');
  }
  for (const [region, { optIn }] of Object.entries(regions)) {
    const those = (on: boolean) => Object.keys(optIn).filter((type) => optIn[type] === on);
    lines.push(`${region}: on ${listed(those(true))}; off ${listed(those(false))}`);
  }
  for (const place of elsewhere) lines.push(`${place}: another account, ask with its credentials`);
  const missing = missingOf(rows).length;
  lines.push(
    missing === 0
      ? `all that is needed is on${applied ? ' now' : ''}`
      : `${missing} of ${rows.length} needed settings ${missing === 1 ? 'is' : 'are'} off`,
  );
  return textOf(lines, width);
}

const listed = (names: readonly string[]) => [...names].sort().join(', ') || '-';

import { OperationError } from '../../lambda/errors.js';
import type { RegionNeed, SettingsNeeds } from '../../lib/objective/templates/needs.js';
import { settingsNeeded } from '../../lib/objective/templates/needs.js';
import { typeNamed } from '../../lib/objective/type-table.js';
import { findRegion } from '../../lib/regime/lookup.js';
import { loadPaths } from '../audit/inputs.js';
import { write } from '../audit/write.js';
import { UsageError } from '../errors.js';
import { Terminal } from '../local/terminal.js';
import { screenWidth } from '../screen.js';
import {
  accountOf,
  organizationSettings,
  type RegionSettings,
  regionSettings,
  switchOnInOrganization,
  switchOnInRegion,
} from './account.js';
import { missingOf, type Row, type Shown, settingName, settingsTable } from './rows.js';

const NAMES = 'EC2, EBS, RDS, Aurora, DynamoDB, EFS, S3 …, or all';

export interface SettingsOptions {
  readonly region?: string;
  readonly account?: string;
  readonly param: Readonly<Record<string, string>>;
  readonly type: readonly string[];
  readonly crossAccount?: true;
  readonly apply?: true;
  readonly confirm?: string;
  readonly json?: true;
}

/** Shows what is needed and what is, switches it on where asked to, and sets the exit code. */
export async function runSettings(paths: readonly string[], options: SettingsOptions): Promise<void> {
  check(paths, options);
  const needs = needed(paths, options);
  const first = needs.places.find(({ region }) => region !== null)?.region;
  if (first === undefined || first === null)
    throw new UsageError('the templates have no vault and no selection: there is nothing to ask about');
  const account = await accountOf(first);
  if (options.confirm !== undefined && options.confirm !== account)
    throw new UsageError(
      `--confirm is ${JSON.stringify(options.confirm)}, and these credentials are of account ${account}; nothing was changed`,
    );
  let shown = await look(account, needs);
  const missing = missingOf(shown.rows);
  if (options.apply && missing.some(({ on }) => on === false)) {
    await confirmed(account, missing, options);
    await apply(first, missing);
    shown = { ...(await look(account, needs)), applied: true };
    const still = missingOf(shown.rows).filter(({ on }) => on === false);
    if (still.length > 0)
      throw new OperationError(
        `AWS Backup took the change and did not make it: ${still.map(settingName).join(', ')} still off`,
      );
  }
  write(
    options.json
      ? `${JSON.stringify({ schemaVersion: 1, ...shown }, undefined, 2)}\n`
      : settingsTable(shown, screenWidth()),
    undefined,
  );
  process.exitCode = missingOf(shown.rows).length > 0 ? 1 : 0;
}

function check(paths: readonly string[], { type, region, apply, confirm, crossAccount }: SettingsOptions) {
  if (paths.length === 0 && type.length === 0 && !crossAccount)
    throw new UsageError(`name templates, or what is needed: --region REGION --type TYPE (${NAMES})`);
  if (paths.length === 0 && region === undefined)
    throw new UsageError('without templates, --region has to say which region is meant');
  if (region !== undefined && findRegion(region) === undefined)
    throw new UsageError(`--region ${region}: is no region of the catalogue`);
  for (const name of type)
    if (name !== 'all' && typeNamed(name) === undefined)
      throw new UsageError(`--type ${name}: is no type that AWS Backup has; write ${NAMES}`);
  if (confirm !== undefined && !apply) throw new UsageError('--confirm goes with --apply');
  if (apply && confirm === undefined && !process.stdin.isTTY)
    throw new UsageError(
      '--apply changes settings of the account; there is no terminal to ask on, so give --confirm with its number',
    );
}

/** What the templates and the options say, together. */
function needed(paths: readonly string[], options: SettingsOptions): SettingsNeeds {
  const found: SettingsNeeds =
    paths.length > 0
      ? settingsNeeded(loadPaths(paths, options).inputs)
      : {
          regions: [],
          organization: [],
          places: [{ account: options.account ?? null, region: options.region ?? null }],
        };
  const unknown = found.places.some(({ region }) => region === null);
  if (unknown)
    throw new UsageError(
      'the region of a template is not known: say it with --region, or synthesize with env',
    );
  const asked = found.places.flatMap(({ account, region }) =>
    options.type.map(
      (name): RegionNeed => ({
        account,
        region,
        setting: 'opt-in',
        type: name === 'all' ? null : name,
        why: `--type ${name}`,
      }),
    ),
  );
  const already = found.organization.some(({ setting }) => setting === 'isCrossAccountBackupEnabled');
  return {
    ...found,
    regions: [...found.regions, ...asked],
    organization:
      options.crossAccount && !already
        ? [...found.organization, { setting: 'isCrossAccountBackupEnabled', why: '--cross-account' }]
        : found.organization,
  };
}

async function look(account: string, needs: SettingsNeeds): Promise<Shown> {
  const here = (place: { readonly account: string | null }) =>
    place.account === null || place.account === account;
  const places = needs.places.filter(here);
  const elsewhere = needs.places
    .filter((place) => !here(place))
    .map(({ account: other, region }) => `${region} ${other}`);
  if (places.length === 0)
    throw new UsageError(
      `these credentials are of account ${account}, and the templates of others: ${elsewhere.join(', ')}`,
    );
  const names = [...new Set(places.map(({ region }) => region!))].sort();
  // One after the other: twenty regions are twenty short calls.
  const regions: Record<string, RegionSettings> = {};
  for (const region of names) regions[region] = await regionSettings(region);
  const rows = names.flatMap((region) =>
    rowsOf(
      region,
      regions[region]!,
      needs.regions.filter((need) => need.region === region && here(need)),
    ),
  );
  if (needs.organization.length > 0) {
    const settings = await organizationSettings(names[0]!);
    for (const { setting, why } of needs.organization)
      rows.push({ region: null, setting, type: null, on: settings[setting] ?? false, why });
  }
  return { account, rows, regions, elsewhere, applied: false };
}

/** Each setting once, with the first reason; every type that the region has, where any is needed. */
function rowsOf(region: string, { optIn, advanced }: RegionSettings, needs: readonly RegionNeed[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { setting, type, why } of needs) {
    const settings = setting === 'opt-in' ? optIn : advanced;
    for (const name of type === null ? Object.keys(settings).sort() : [type]) {
      const key = `${setting} ${name}`;
      // A type without the setting has nothing that could be off.
      if (setting === 'advanced' && settings[name] === undefined) continue;
      if (!rows.has(key)) rows.set(key, { region, setting, type: name, on: settings[name] ?? null, why });
    }
  }
  return [...rows.values()];
}

async function confirmed(account: string, missing: readonly Row[], options: SettingsOptions) {
  if (options.confirm !== undefined) return;
  const list = missing
    .filter(({ on }) => on === false)
    .map((row) => `  ${row.region ?? 'organization'}: ${settingName(row)}\n`)
    .join('');
  const answer = await new Terminal().ask(
    `This switches on, in account ${account}:\n${list}Type the account's number to go on: `,
  );
  if (answer.trim() !== account)
    throw new UsageError('that was not the number of the account; nothing was changed');
}

async function apply(first: string, missing: readonly Row[]): Promise<void> {
  const off = missing.filter(({ on }) => on === false);
  const done: string[] = [];
  try {
    for (const region of new Set(off.flatMap((row) => row.region ?? []))) {
      const of = (setting: Row['setting']) =>
        off.filter((row) => row.region === region && row.setting === setting).map(({ type }) => type!);
      await switchOnInRegion(region, { optIn: of('opt-in'), advanced: of('advanced') });
      done.push(region);
    }
    const organization = off.filter(({ region }) => region === null).map(({ setting }) => setting);
    if (organization.length > 0) await switchOnInOrganization(first, organization);
  } catch (error) {
    const before =
      done.length > 0 ? `${done.join(', ')} had been changed before` : 'nothing was changed before';
    throw new OperationError(`${(error as Error).message}; ${before}`);
  }
}

import { TENANCIES, type Tenancy, type TenantScope } from '../engine/engine.js';
import { InputError } from '../errors.js';

const actions = ['dump', 'verify', 'drill', 'restore', 'undo', 'list'] as const;
export type WorkerAction = (typeof actions)[number];

/** What the worker is asked to do, checked. */
export interface WorkerEvent {
  readonly action: WorkerAction;
  readonly tenant: string;
  readonly database?: string;
  readonly at?: Date;
  readonly confirm?: string;
  readonly noOwner: boolean;
  /** Sessions that dump or load at once. */
  readonly jobs?: number;
  /** Of a dump, in seconds. */
  readonly statementTimeout?: number;
  /** Absent: the whole database, or what the archive says. */
  readonly scope?: TenantScope;
}

const known = new Set([
  'action',
  'tenant',
  'database',
  'at',
  'confirm',
  'noOwner',
  'tenancy',
  'schema',
  'tenantValue',
  'jobs',
  'statementTimeout',
]);
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Everything that is wrong with an event is said at once. */
export function parseWorkerEvent(event: unknown): WorkerEvent {
  const shape = '{"action":"dump","tenant":"acme"}';
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw new InputError(`the event must be an object like ${shape}, got ${JSON.stringify(event)}`);
  }
  const given = event as Record<string, unknown>;
  const problems: string[] = [];
  const text = (name: string): string | undefined => {
    const value = given[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
    problems.push(`"${name}" must be a text that is not empty, got ${JSON.stringify(value)}`);
    return undefined;
  };
  for (const name of Object.keys(given)) {
    if (!known.has(name)) problems.push(`"${name}" is not known (known: ${[...known].join(', ')})`);
  }
  const action = text('action');
  if (!actions.includes(action as WorkerAction)) {
    problems.push(`"action" must be one of ${actions.join(', ')}, got ${JSON.stringify(given.action)}`);
  }
  const tenant = text('tenant');
  if (tenant === undefined && given.tenant === undefined) problems.push('"tenant" is missing');
  const at = text('at');
  if (at !== undefined && (!isoTime.test(at) || Number.isNaN(Date.parse(at)))) {
    problems.push(`"at" must be a time like 2026-11-20T15:00:00Z, got ${JSON.stringify(at)}`);
  }
  const noOwner = given.noOwner ?? false;
  if (typeof noOwner !== 'boolean')
    problems.push(`"noOwner" must be true or false, got ${JSON.stringify(noOwner)}`);
  const whole = (name: string, most: number, actions: readonly unknown[]): number | undefined => {
    const value = given[name];
    if (value === undefined || value === null) return undefined;
    if (!actions.includes(action)) problems.push(`"${name}" goes with ${actions.join(', ')} alone`);
    if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most)
      return value as number;
    problems.push(`"${name}" must be a whole number from 1 to ${most}, got ${JSON.stringify(value)}`);
    return undefined;
  };
  const jobs = whole('jobs', 64, ['dump', 'drill', 'restore']);
  const statementTimeout = whole('statementTimeout', 31_536_000, ['dump']);
  const database = text('database');
  const confirm = text('confirm');
  const tenancy = text('tenancy');
  const schema = text('schema');
  const tenantValue = text('tenantValue');
  if (tenancy !== undefined && !TENANCIES.includes(tenancy as Tenancy))
    problems.push(`"tenancy" must be one of ${TENANCIES.join(', ')}, got ${JSON.stringify(tenancy)}`);
  if (schema !== undefined && tenancy !== 'schema')
    problems.push('"schema" goes with "tenancy":"schema" alone');
  if (tenantValue !== undefined && tenancy !== 'rows')
    problems.push('"tenantValue" goes with "tenancy":"rows" alone');
  if ((action === 'restore' || action === 'undo') && confirm !== tenant) {
    problems.push(
      `${action} replaces the tenant's live database, so "confirm" must repeat its name: ${JSON.stringify(tenant ?? '')}, got ${JSON.stringify(given.confirm)}`,
    );
  }
  if (problems.length > 0) throw new InputError(`the event cannot be worked on: ${problems.join('; ')}`);
  const scope: TenantScope | undefined =
    tenancy === 'schema'
      ? { tenancy, schema: schema ?? tenant! }
      : tenancy === 'rows'
        ? { tenancy, value: tenantValue ?? tenant! }
        : tenancy === undefined
          ? undefined
          : { tenancy: 'database' };
  return {
    action: action as WorkerAction,
    tenant: tenant!,
    noOwner: noOwner as boolean,
    ...(database === undefined ? {} : { database }),
    ...(jobs === undefined ? {} : { jobs }),
    ...(statementTimeout === undefined ? {} : { statementTimeout }),
    ...(at === undefined ? {} : { at: new Date(at) }),
    ...(confirm === undefined ? {} : { confirm }),
    ...(scope === undefined ? {} : { scope }),
  };
}

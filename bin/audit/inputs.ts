import { readFileSync } from 'node:fs';
import { findRegion } from '../../lib/regime/lookup.js';
import { audit } from '../../lib/residency/audit.js';
import { InputError, type TemplateInput } from '../../lib/residency/input.js';
import type { AuditResult, Finding } from '../../lib/residency/model.js';
import { load } from '../../lib/residency/read/load.js';
import { type PolicyFile, readPolicyFile } from './policy-file.js';
import { parseYaml } from './yaml.js';

/** The options that say what the templates mean. */
export interface InputOptions {
  readonly policy?: string;
  readonly region?: string;
  readonly account?: string;
  readonly param: Readonly<Record<string, string>>;
  readonly now?: string;
}

export interface Loaded {
  readonly inputs: readonly TemplateInput[];
  readonly notes: readonly Finding[];
  readonly policy: PolicyFile;
}

export interface Audited extends Loaded {
  readonly result: AuditResult;
  readonly now: Date;
}

/** Reads the templates and the policy that the options name. */
export function loadPaths(paths: readonly string[], options: InputOptions): Loaded {
  const policy = readPolicyFile(options.policy);
  checkEnvironment(options);
  const { inputs, notes } = load(paths, {
    region: options.region ?? null,
    account: options.account ?? null,
    parameters: options.param,
    yaml: parseYaml,
    stdin: () => readFileSync(0),
  });
  return { inputs, notes, policy };
}

/** Reads what the options name and audits it. */
export function auditPaths(paths: readonly string[], options: InputOptions): Audited {
  const now = momentOf(options.now);
  const loaded = loadPaths(paths, options);
  const { inputs, notes, policy } = loaded;
  return { ...loaded, result: audit(inputs, policy.policy, { now, notes }), now };
}

function checkEnvironment({ region, account, param }: InputOptions): void {
  if (region !== undefined && findRegion(region) === undefined) {
    throw new InputError(
      `--region ${region}: is no region of the catalogue; an unknown region is refused, never guessed`,
    );
  }
  if (account !== undefined && !/^\d{12}$/.test(account)) {
    throw new InputError(`--account ${account}: an account is twelve digits`);
  }
  if (Object.hasOwn(param, '')) throw new InputError(`--param ${param['']}: write NAME=VALUE`);
}

/** When exceptions are judged: as told, as the build says, or now. */
function momentOf(given: string | undefined): Date {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  if (given === undefined && epoch !== undefined && !/^\d+$/.test(epoch)) {
    throw new InputError(`SOURCE_DATE_EPOCH=${epoch}: must be whole seconds since 1970`);
  }
  const moment =
    given !== undefined ? new Date(given) : epoch !== undefined ? new Date(Number(epoch) * 1000) : new Date();
  if (Number.isNaN(moment.getTime()))
    throw new InputError(`--now ${given ?? epoch}: must be a time like 2026-11-24`);
  return moment;
}

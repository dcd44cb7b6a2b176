import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findRegime, findRegion } from '../../lib/regime/lookup.js';
import { REGIMES } from '../../lib/regime/regime-table.js';
import { type GuardInput, usualDeployers } from '../../lib/residency/guard/documents.js';
import { type GuardDocuments, guardDocuments } from '../../lib/residency/guard/guard.js';
import { InputError } from '../../lib/residency/input.js';
import { isoDay } from '../../lib/residency/judge/dates.js';
import { Regimes } from '../../lib/residency/judge/regimes.js';
import type { AuditPolicy } from '../../lib/residency/policy.js';
import { readPolicyFile } from '../audit/policy-file.js';

export interface GuardOptions {
  readonly regime: string;
  readonly policy?: string;
  readonly deployer?: readonly string[];
  readonly deployers: boolean;
  readonly exempt: readonly string[];
  readonly bucket: string;
  readonly format: 'table' | 'json';
  readonly out?: string;
}

/** Prints the guard of one regime, or writes it into a folder. */
export function runGuard(options: GuardOptions): void {
  const { policy } = readPolicyFile(options.policy);
  const input = inputOf(options, policy);
  const documents = guardDocuments(input, `arn:${input.partition}:s3:::${options.bucket}`);
  if (options.out !== undefined) writeFiles(documents, options.out);
  else if (options.format === 'json') process.stdout.write(text(documents));
  else process.stdout.write(forPeople(documents));
}

function inputOf(options: GuardOptions, policy: AuditPolicy): GuardInput {
  const { regime, exempt } = options;
  for (const [option, arns] of [
    ['--deployer', options.deployer ?? []],
    ['--exempt', exempt],
  ] as const) {
    for (const arn of arns) {
      // A pattern of nothing but wildcards would exempt everybody.
      if (!/^arn:[^:]+:(iam|sts)::[^:]*:.*[A-Za-z0-9].*$/.test(arn)) {
        throw new InputError(
          `${option} ${arn}: must be the ARN of a role, as in arn:aws:iam::*:role/break-glass`,
        );
      }
    }
  }
  const regimes = new Regimes(policy);
  const regions = regimes.regionsOf(regime);
  const partition = findRegion(regions[0] ?? '')?.partition;
  if (partition === undefined) {
    const known = [
      ...REGIMES.filter(({ confirmed }) => confirmed),
      ...Object.keys(policy.regimes).map((id) => ({ id })),
    ];
    throw new InputError(
      `--regime ${regime}: is no regime of the catalogue or of the policy; there are ${[...new Set(known.map(({ id }) => id))].join(', ')}`,
    );
  }
  return {
    regime,
    partition,
    regions,
    transfers: transfersOf(regime, policy, regimes, partition),
    deployers: options.deployers ? (options.deployer ?? usualDeployers(partition)) : [],
    exempt,
  };
}

/** The exceptions that hold today. What has expired opens nothing, and is said. */
function transfersOf(
  regime: string,
  policy: AuditPolicy,
  regimes: Regimes,
  partition: string,
): GuardInput['transfers'] {
  const today = isoDay(new Date());
  return policy.exceptions
    .filter(({ from }) => from === regime)
    .filter(({ to, expires }) => {
      if (expires >= today) return true;
      process.stderr.write(`the exception from ${regime} to ${to} expired on ${expires} and opens nothing\n`);
      return false;
    })
    .map(({ to, what }) => ({
      regions: regimes.regionsOf(to).filter((region) => findRegion(region)?.partition === partition),
      what,
    }));
}

function text(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function filesOf({ serviceControlPolicies, vaultPolicy, bucketPolicy, keyPolicyStatements }: GuardDocuments) {
  return [
    ...serviceControlPolicies.map(({ name, document }) => ({
      name: `scp-${name}`,
      document: document as unknown,
    })),
    { name: 'vault-policy', document: vaultPolicy },
    { name: 'bucket-policy', document: bucketPolicy },
    { name: 'key-policy-statements', document: keyPolicyStatements },
  ];
}

function forPeople(documents: GuardDocuments): string {
  const { name, law } = findRegime(documents.regime) ?? { name: documents.regime, law: 'as the policy says' };
  const parts = filesOf(documents).map((file) => `\n== ${file.name}\n${text(file.document)}`);
  const sizes = documents.serviceControlPolicies.map(
    (policy) => `${policy.name}: ${policy.characters} characters`,
  );
  return [
    `Guard of ${name} (${documents.regime}; ${law}): ${documents.regions.join(', ')}\n`,
    ...sizes.map((line) => `- ${line}\n`),
    ...documents.notes.map((note) => `- ${note}\n`),
    ...parts,
  ].join('');
}

function writeFiles(documents: GuardDocuments, folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const { name, document } of filesOf(documents)) {
      writeFileSync(join(folder, `${name}.json`), text(document));
      process.stdout.write(`${join(folder, `${name}.json`)}\n`);
    }
  } catch (error) {
    throw new InputError(`--out ${folder}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
  for (const note of documents.notes) process.stderr.write(`- ${note}\n`);
}

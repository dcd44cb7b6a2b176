import { audit } from '../../dist/lib/residency/audit';
import { type AuditPolicy, DEFAULT_POLICY } from '../../dist/lib/residency/policy';
import type { TemplateInput } from '../../lib/residency/input';
import type { AuditResult, Edge } from '../../lib/residency/model';

export const NOW = new Date('2026-11-24T12:00:00Z');
export const HOME = { region: 'eu-west-1', account: '111111111111' };

/** A template that nobody read from a file. */
export function template(
  resources: object,
  more: Partial<TemplateInput> & { readonly sections?: object } = {},
): TemplateInput {
  const { sections, ...fields } = more;
  return {
    path: 't.json',
    sha256: '0'.repeat(64),
    stack: null,
    ...HOME,
    document: { ...sections, Resources: resources },
    ...fields,
  };
}

export function auditOf(
  inputs: TemplateInput | readonly TemplateInput[],
  policy: Partial<AuditPolicy> = {},
  now: Date = NOW,
): AuditResult {
  return audit([inputs].flat(), { ...DEFAULT_POLICY, ...policy }, { now });
}

/** A secret replicated to what an expression gives: the simplest resource with an edge. */
export const secretTo = (...regions: readonly unknown[]) => ({
  Type: 'AWS::SecretsManager::Secret',
  Properties: { ReplicaRegions: regions.map((Region) => ({ Region })) },
});

/** A plan that copies to a vault. */
export const planTo = (...vaults: readonly unknown[]) => ({
  Type: 'AWS::Backup::BackupPlan',
  Properties: {
    BackupPlan: {
      BackupPlanName: 'plan',
      BackupPlanRule: [
        {
          RuleName: 'daily',
          TargetBackupVault: 'v',
          CopyActions: vaults.map((DestinationBackupVaultArn) => ({ DestinationBackupVaultArn })),
        },
      ],
    },
  },
});

export const replicatedBucketTo = (bucket: unknown) => ({
  Type: 'AWS::S3::Bucket',
  Properties: {
    ReplicationConfiguration: {
      Role: 'arn:aws:iam::111111111111:role/r',
      Rules: [{ Status: 'Enabled', Destination: { Bucket: bucket } }],
    },
  },
});

export const vaultArn = (region: string, account = HOME.account, partition = 'aws') =>
  `arn:${partition}:backup:${region}:${account}:backup-vault:v`;

export const lines = (edges: readonly Edge[]) =>
  edges.map(({ what, from, to, verdict }) => `${what} ${from.region} -> ${to.region} ${verdict}`);

export const NOTHING_MOVES = { Queue: { Type: 'AWS::SQS::Queue' } };

import { reachableRegions, type Transfer } from '../../regime/reachable';
import type { Cargo } from '../model';
import { GLOBAL, OPAQUE, PULLING } from './actions';

type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** One statement of a policy document, as JSON. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Deny';
  readonly Principal?: '*';
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: string;
  readonly Condition?: Condition;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** What a guard is made from: the same regime and exceptions by which the audit judges. */
export interface GuardInput {
  readonly regime: string;
  readonly partition: string;
  readonly regions: readonly string[];
  readonly transfers: readonly Transfer[];
  /** Role ARN patterns that may make calls whose destination IAM cannot see, because they deploy audited templates. */
  readonly deployers: readonly string[];
  /** Role ARN patterns to which nothing here applies: break-glass access, if there has to be any. */
  readonly exempt: readonly string[];
}

/** The role with which CloudFormation deploys for the CDK: it can deploy what synthesis has let pass. */
export function usualDeployers(partition: string): readonly string[] {
  return [`arn:${partition}:iam::*:role/cdk-*-cfn-exec-role-*`];
}

function reachable(input: GuardInput, ...cargo: Cargo[]): string[] {
  return reachableRegions(input.regions, input.transfers, ...cargo);
}

/** Everything outside the regime, in any service, but for what has no region. */
export function regionStatements(input: GuardInput): Statement[] {
  // An exception needs somewhere to arrive: a vault and a key over there. What may travel, the other policy says.
  const regions = [...new Set([...input.regions, ...input.transfers.flatMap((t) => t.regions)])].sort();
  return [
    deny(input, {
      Sid: 'RegionsOutOfRegime',
      NotAction: GLOBAL,
      Condition: { StringNotEquals: { 'aws:RequestedRegion': regions } },
    }),
  ];
}

/** Every call that copies, replicates or moves a key out of the regime. */
export function copyStatements(input: GuardInput): Statement[] {
  return [
    ...vaultStatements(input),
    ...keyStatements(input),
    deny(input, {
      Sid: 'SecretReplicasOutOfRegime',
      Action: ['secretsmanager:CreateSecret', 'secretsmanager:ReplicateSecretToRegions'],
      Condition: {
        'ForAnyValue:StringNotEquals': { 'secretsmanager:AddReplicaRegions': reachable(input, 'secret') },
      },
    }),
    deny(input, {
      Sid: 'WitnessOutOfRegime',
      Action: ['dsql:CreateCluster', 'dsql:PutWitnessRegion'],
      Condition: {
        StringNotEquals: { 'dsql:WitnessRegion': reachable(input, 'replica') },
        // Without a witness there is nothing to refuse, and an absent key would not be equal either.
        Null: { 'dsql:WitnessRegion': 'false' },
      },
    }),
    ...PULLING.map(({ sid, what, actions }) =>
      deny(input, {
        Sid: sid,
        Action: actions,
        Condition: { StringNotEquals: { 'aws:RequestedRegion': reachable(input, ...what) } },
      }),
    ),
    deny(
      { ...input, exempt: [...input.exempt, ...input.deployers] },
      { Sid: 'UnseenDestinations', Action: OPAQUE },
    ),
  ];
}

/** For the access policy of a backup vault, or for any principal in the account. */
export function vaultStatements(input: GuardInput): Statement[] {
  const targets = reachable(input, 'backup').map(
    (region) => `arn:${input.partition}:backup:${region}:*:backup-vault:*`,
  );
  return [
    deny(input, {
      Sid: 'BackupCopiesOutOfRegime',
      Action: ['backup:CopyFromBackupVault'],
      Condition: { 'ForAnyValue:ArnNotLike': { 'backup:CopyTargets': targets } },
    }),
    // A copy that names no target is refused too: ForAnyValue says nothing about an absent key.
    deny(input, {
      Sid: 'BackupCopiesToUnknownPlaces',
      Action: ['backup:CopyFromBackupVault'],
      Condition: { Null: { 'backup:CopyTargets': 'true' } },
    }),
  ];
}

export function keyStatements(input: GuardInput): Statement[] {
  const regions = reachable(input, 'key');
  return [
    deny(input, {
      Sid: 'KeyReplicasOutOfRegime',
      Action: ['kms:ReplicateKey'],
      Condition: { StringNotEquals: { 'kms:ReplicaRegion': regions } },
    }),
    deny(input, {
      Sid: 'PrimaryKeysOutOfRegime',
      Action: ['kms:UpdatePrimaryRegion'],
      Condition: { StringNotEquals: { 'kms:PrimaryRegion': regions } },
    }),
  ];
}

/** For a bucket's policy: where its objects are replicated to is decided by the deployment of audited templates. */
export function bucketStatements(input: GuardInput, bucketArn: string): Statement[] {
  const statement = deny(
    { ...input, exempt: [...input.exempt, ...input.deployers] },
    { Sid: 'ReplicationOnlyByDeployment', Action: ['s3:PutReplicationConfiguration'] },
  );
  return [{ ...statement, Resource: bucketArn }];
}

/** The same statements as a policy of a resource, which has to say whom it means. */
export function onResource(statements: readonly Statement[]): Statement[] {
  return statements.map(({ Sid, Effect, ...rest }) => ({ Sid, Effect, Principal: '*', ...rest }));
}

export function documentOf(statements: readonly Statement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

function deny(input: GuardInput, statement: Omit<Statement, 'Effect' | 'Resource' | 'Principal'>): Statement {
  const { Sid, Condition, ...what } = statement;
  const exempted: Condition =
    input.exempt.length > 0 ? { ArnNotLike: { 'aws:PrincipalArn': input.exempt } } : {};
  const condition = { ...Condition, ...exempted };
  return {
    Sid,
    Effect: 'Deny',
    ...what,
    Resource: '*',
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
  };
}

/** How each exported construct is made with little, for the tests that all of them have to pass: a new one goes here. */
import { CfnParameter, Duration, Lazy, Names, Stack } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as lib from 'cdk-sovereign-backup';
import type { Construct } from 'constructs';

export interface Place {
  readonly regime: lib.PrivacyRegime;
  readonly home: string;
  /** A second region; undefined where the regime has none. */
  readonly copy?: string;
}

export const PLACES: Readonly<Record<string, Place>> = {
  aws: { regime: lib.PrivacyRegime.EU, home: 'eu-central-1', copy: 'eu-west-1' },
  'aws-us-gov': { regime: lib.PrivacyRegime.US_GOV, home: 'us-gov-west-1', copy: 'us-gov-east-1' },
  'aws-cn': { regime: lib.PrivacyRegime.CN, home: 'cn-north-1', copy: 'cn-northwest-1' },
  'aws-eusc': { regime: lib.PrivacyRegime.EU_SOVEREIGN, home: 'eusc-de-east-1' },
};

export interface Made {
  /** Makes stacks of its own. */
  readonly ofApp?: true;
  /** Partitions in which CloudFormation has no such resource. */
  readonly absent?: readonly string[];
  /** Makes what it refers to in `near`, which may be another stack. */
  readonly make: (scope: Construct, id: string, place: Place, near: Construct) => Construct;
  /** Whether it may be in a stack whose region is known only at deployment, and how it is made there. */
  readonly agnostic?: (scope: Construct, id: string) => Construct;
  /** The same with parameters of the template for whatever may be settled at deployment. */
  readonly tokens: (scope: Construct, id: string, params: Params) => Construct;
}

/** Makes parameters, and what is known by one of them only. Their names are those of the properties. */
export class Params {
  /** Names of those that were made, all of which the template has to use. */
  public readonly names: string[] = [];
  constructor(private readonly scope: Construct) {}

  public text(name: string, value = 'x'): string {
    return this.make(name, { default: value }).valueAsString;
  }
  public list(name: string, value: string): string[] {
    return this.make(name, { type: 'CommaDelimitedList', default: value }).valueAsList;
  }
  public number(name: string, value: number): number {
    return this.make(name, { type: 'Number', default: value }).valueAsNumber;
  }
  public account(name: string): string {
    return this.text(name, '222222222222');
  }
  public role(name: string): iam.IRole {
    return iam.Role.fromRoleArn(
      this.scope,
      name,
      this.text(`${name}Arn`, 'arn:aws:iam::111111111111:role/r'),
    );
  }
  public key(name: string): kms.IKey {
    return kms.Key.fromKeyArn(
      this.scope,
      name,
      this.text(
        `${name}Arn`,
        'arn:aws:kms:eu-central-1:111111111111:key/00000000-0000-0000-0000-000000000000',
      ),
    );
  }
  public bucket(name: string): s3.IBucket {
    return s3.Bucket.fromBucketName(this.scope, name, this.text(`${name}Name`, 'a-bucket'));
  }
  public topic(name: string): sns.ITopic {
    return sns.Topic.fromTopicArn(
      this.scope,
      name,
      this.text(`${name}Arn`, 'arn:aws:sns:eu-central-1:111111111111:t'),
    );
  }
  public vault(name: string, region = 'eu-central-1', account?: string): lib.IRegimeVault {
    return lib.RegimeVault.fromAttributes(this.scope, name, {
      vaultName: this.text(`${name}Name`, 'a-vault'),
      region,
      account,
    });
  }

  private make(name: string, props: ConstructorParameters<typeof CfnParameter>[2]): CfnParameter {
    this.names.push(name);
    return new CfnParameter(this.scope, name, props);
  }
}

const vault = (stack: Construct, id: string) => new lib.RegimeVault(stack, `${id}Vault`);
const planOf = (stack: Construct, id: string, { regime, copy }: Place, inVault: lib.RegimeVault) => {
  const away =
    copy && lib.RegimeVault.fromAttributes(stack, `${id}Away`, { vaultName: 'away', region: copy, regime });
  const plan = new lib.RegimeBackupPlan(stack, `${id}Plan`, {
    vault: inVault,
    copies: away ? [away] : [],
    rules: [lib.BackupRule.hourly(), lib.BackupRule.continuous()],
  });
  plan.protect('Protected', { tags: { audited: id }, types: [lib.ResourceType.EC2, lib.ResourceType.RDS] });
  return plan;
};
/** Every validator that needs no network. */
const drills = (stack: Construct, id: string, near: Construct) => {
  const { partition, region } = Stack.of(stack);
  const judge = lambda.Function.fromFunctionArn(
    near,
    `${id}Judge`,
    `arn:${partition}:lambda:${region}:111111111111:function:judge`,
  );
  const plan = new lib.RestoreTestingPlan(stack, id, { vaults: [vault(near, id)] });
  plan.addSelection('Instances', {
    resourceType: lib.ResourceType.EC2,
    validators: [lib.RestoreValidator.instanceBoots(), lib.RestoreValidator.judgedBy(judge)],
  });
  plan.addSelection('Tables', {
    resourceType: lib.ResourceType.DYNAMODB,
    validators: [lib.RestoreValidator.hasItems({ shareOfSource: 0.5 })],
  });
  plan.addSelection('Buckets', {
    resourceType: lib.ResourceType.S3,
    resources: [`arn:${partition}:s3:::orders`],
    validators: [lib.RestoreValidator.objectsMatch()],
  });
  return plan;
};
const tenants = (stack: Construct, id: string) =>
  new lib.TenantBackups(stack, id, {
    source: lib.TenantSource.discover(lib.DatabaseServer.fromEndpoint({ host: 'db.internal' }), '%'),
  });
const tenantsByTokens = (stack: Construct, id: string, params: Params) =>
  new lib.TenantBackups(stack, id, {
    source: lib.TenantSource.discover(
      lib.DatabaseServer.fromEndpoint({
        host: params.text('Host', 'db.internal'),
        port: params.number('Port', 5432),
        user: params.text('User', 'backup'),
        secret: secrets.Secret.fromSecretCompleteArn(
          stack,
          'Login',
          params.text('LoginArn', 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:login-AbCdEf'),
        ),
      }),
      params.text('Pattern', 'tenant_%'),
    ),
    encryptionKey: params.key('EncryptionKey'),
    alarmTopic: params.topic('Topic'),
    accessLogs: params.bucket('AccessLogs'),
  });
const days = Duration.days;
const late = (value: string) => Lazy.string({ produce: () => value });
/** Partitions whose CloudFormation has no restore testing, legal holds or air-gapped vaults. */
const WITHOUT = ['aws-cn', 'aws-us-gov'];

export const CONSTRUCTS: Readonly<Record<string, Made>> = {
  AirGappedVault: {
    absent: WITHOUT,
    make: (stack, id) =>
      new lib.AirGappedVault(stack, id, {
        irreversibleMinRetention: days(7),
        irreversibleMaxRetention: days(35),
        restoreAccounts: ['222222222222'],
      }),
    tokens: (stack, id, params) =>
      new lib.AirGappedVault(stack, id, {
        irreversibleMinRetention: days(7),
        irreversibleMaxRetention: days(35),
        encryptionKey: params.key('EncryptionKey'),
        copyAccounts: [params.account('CopyAccount')],
        restoreAccounts: params.list('RestoreAccounts', '222222222222'),
        approvalTeamArn: params.text('ApprovalTeam', 'arn:aws:mpa:eu-central-1:111111111111:approval-team/t'),
      }),
  },
  BackupAudit: {
    absent: ['aws-cn'],
    make: (stack, id, place, near) =>
      new lib.BackupAudit(stack, id, {
        regime: place.regime,
        plans: [planOf(near, id, place, vault(near, id))],
      }),
    tokens: (stack, id, params) =>
      new lib.BackupAudit(stack, id, {
        regime: lib.PrivacyRegime.EU,
        plans: [planOf(stack, id, PLACES.aws!, vault(stack, id))],
        exemptRoles: [params.role('ExemptRole')],
        encryptionKey: params.key('EncryptionKey'),
        accessLogs: params.bucket('AccessLogs'),
        retention: days(params.number('Retention', 400)),
      }),
  },
  BackupEstate: {
    ofApp: true,
    make: (app, id, { regime, home, copy }) =>
      new lib.BackupEstate(app, `Estate${id}`, {
        account: '111111111111',
        territories: [
          {
            regime,
            home,
            copies: copy ? [copy] : undefined,
            soleRegion: copy ? undefined : { acceptedBy: 'CISO', reviewOn: '2999-01-01' },
          },
        ],
        restoreTests: WITHOUT.includes(regime.partition) ? undefined : {},
      }),
    // It makes its stacks itself: what is settled late here is settled when they are written.
    tokens: (app, id) =>
      new lib.BackupEstate(app, `Estate${id}`, {
        account: '111111111111',
        territories: [{ regime: lib.PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1'] }],
        tags: { [late('backup')]: late('yes') },
        restoreTests: {
          tags: { drill: late('yes') },
          restoreMetadata: { EC2: { subnetId: late('subnet-1') } },
        },
        watch: { runbookUrl: late('https://example.com/') },
      }),
  },
  BackupWatch: {
    make: (stack, id, place, near) => {
      const { regime } = place;
      const ours = vault(near, id);
      return new lib.BackupWatch(stack, id, {
        regime,
        vaults: [ours],
        plans: [planOf(near, id, place, ours)],
        snapshots: [new lib.InstanceSnapshots(near, `${id}Snapshots`, { regime, targetTags: { role: id } })],
        caches: [new lib.CacheSnapshots(near, `${id}Caches`, { replicationGroups: ['sessions'] })],
        drills: WITHOUT.includes(regime.partition) ? [] : [drills(near, `${id}Drills`, near)],
      });
    },
    tokens: (stack, id, params) =>
      new lib.BackupWatch(stack, id, {
        regime: lib.PrivacyRegime.EU,
        vaults: [params.vault('Vault')],
        keys: [params.key('Key')],
        topic: params.topic('Topic'),
        runbookUrl: params.text('RunbookUrl', 'https://example.com/'),
      }),
  },
  CacheSnapshots: {
    make: (stack, id) =>
      new lib.CacheSnapshots(stack, id, { replicationGroups: ['sessions'], serverlessCaches: ['carts'] }),
    agnostic: (stack, id) => new lib.CacheSnapshots(stack, id, { replicationGroups: ['sessions'] }),
    tokens: (stack, id, params) =>
      new lib.CacheSnapshots(stack, id, {
        replicationGroups: [params.text('ReplicationGroup', 'sessions')],
        serverlessCaches: [params.text('ServerlessCache', 'carts')],
      }),
  },
  InstanceSnapshots: {
    make: (stack, id, { copy }) =>
      new lib.InstanceSnapshots(stack, id, {
        targetTags: { role: id },
        copies: copy ? [copy] : [],
        scripts: lib.SnapshotScript.document('Freeze'),
      }),
    agnostic: (stack, id) => new lib.InstanceSnapshots(stack, id, { targetTags: { role: id } }),
    tokens: (stack, id, params) =>
      new lib.InstanceSnapshots(stack, id, {
        targetTags: { role: params.text('TargetTag') },
        startTime: params.text('StartTime', '00:30'),
        snapshotTags: { team: params.text('SnapshotTag') },
        volumeKeys: [params.key('VolumeKey')],
        scripts: lib.SnapshotScript.document(params.text('Document', 'Freeze'), {
          timeout: Duration.seconds(params.number('Timeout', 30)),
          retries: params.number('Retries', 1),
        }),
      }),
  },
  LegalHold: {
    absent: WITHOUT,
    make: (stack, id, _, near) =>
      new lib.LegalHold(stack, id, {
        title: id,
        description: 'matter',
        fromDay: '2026-01-01',
        toDay: '2026-02-01',
        vaults: [vault(near, id)],
      }),
    agnostic: (stack, id) =>
      new lib.LegalHold(stack, id, {
        title: id,
        description: 'matter',
        fromDay: '2026-01-01',
        toDay: '2026-02-01',
      }),
    tokens: (stack, id, params) =>
      new lib.LegalHold(stack, id, {
        title: params.text('Title'),
        description: params.text('Description'),
        fromDay: params.text('FromDay', '2026-01-01'),
        toDay: params.text('ToDay', '2026-02-01'),
        vaults: [params.vault('Vault')],
        resourceArns: params.list('ResourceArns', 'arn:aws:rds:eu-central-1:111111111111:db:orders'),
      }),
  },
  OrganizationBackupPolicy: {
    make: (stack, id, { regime, home, copy }) =>
      new lib.OrganizationBackupPolicy(stack, id, {
        regime,
        regions: [home],
        copies: copy ? [copy] : [],
        vaultName: 'members',
      }),
    agnostic: (stack, id) =>
      new lib.OrganizationBackupPolicy(stack, id, {
        regime: lib.PrivacyRegime.EU,
        regions: ['eu-central-1'],
        vaultName: 'members',
      }),
    tokens: (stack, id, params) =>
      new lib.OrganizationBackupPolicy(stack, id, {
        regime: lib.PrivacyRegime.EU,
        regions: ['eu-central-1'],
        vaultName: 'members',
        targetIds: [params.text('Target', 'ou-ab12-abcdefgh')],
        tags: { backup: params.text('Tag') },
        types: [lib.ResourceType.EC2],
        roleName: params.text('RoleName', 'Backup'),
        malwareScanRoleName: params.text('ScanRoleName', 'Scan'),
      }),
  },
  RecycleBin: {
    make: (stack, id) => new lib.RecycleBin(stack, id, { unlockDelay: days(7) }),
    agnostic: (stack, id) => new lib.RecycleBin(stack, id),
    tokens: (stack, id, params) =>
      new lib.RecycleBin(stack, id, { excludeTags: { [params.text('Key')]: params.text('Value') } }),
  },
  RegimeBackupPlan: {
    make: (stack, id, { copy, regime }, near) => {
      const away =
        copy &&
        lib.RegimeVault.fromAttributes(stack, `${id}Away`, { vaultName: 'away', region: copy, regime });
      const plan = new lib.RegimeBackupPlan(stack, id, {
        vault: vault(near, id),
        copies: away ? [away] : [],
      });
      plan.protect('Protected', {
        types: [lib.ResourceType.EC2, lib.ResourceType.S3],
        tags: { env: 'prod' },
      });
      return plan;
    },
    tokens: (stack, id, params) => {
      const plan = new lib.RegimeBackupPlan(stack, id, {
        vault: params.vault('Vault'),
        copies: [params.vault('Away', 'eu-west-1', params.account('AwayAccount'))],
        rules: [
          lib.BackupRule.daily({
            recoveryPointTags: { team: params.text('PointTag') },
            malwareScan: lib.MalwareScan.FULL,
          }),
        ],
        planName: params.text('PlanName', 'plan'),
        role: params.role('Role'),
        malwareScanRole: params.role('ScanRole'),
      });
      plan.protect('Tagged', {
        tags: { [params.text('TagKey', 'env')]: params.text('TagValue') },
        conditions: [lib.TagCondition.like('app', params.text('Condition'))],
        arns: [params.text('Arn', 'arn:aws:rds:eu-central-1:111111111111:db:orders')],
        exclude: params.list('Excluded', 'arn:aws:rds:eu-central-1:111111111111:db:scratch'),
      });
      plan.protect('Listed', { arns: params.list('Arns', 'arn:aws:s3:::orders,arn:aws:s3:::carts') });
      plan.protect('Any', { anyTags: { gold: params.text('AnyTag') } });
      return plan;
    },
  },
  RegimeVault: {
    make: (stack, id) => new lib.RegimeVault(stack, id, { copyAccounts: ['222222222222'] }),
    tokens: (stack, id, params) =>
      new lib.RegimeVault(stack, id, {
        copyAccounts: [params.account('CopyAccount')],
        encryptionKey: params.key('EncryptionKey'),
      }),
  },
  ResidencyGuardPolicies: {
    make: (stack, id, { regime }) =>
      new lib.ResidencyGuardPolicies(stack, id, { regime, namePrefix: stack.node.id + id }),
    agnostic: (stack, id) =>
      new lib.ResidencyGuardPolicies(stack, id, {
        regime: lib.PrivacyRegime.EU,
        namePrefix: `agnostic${id}`,
      }),
    tokens: (stack, id, params) =>
      new lib.ResidencyGuardPolicies(stack, id, {
        regime: lib.PrivacyRegime.EU,
        targetIds: params.list('Targets', '222222222222'),
        deployers: [params.text('Deployer', 'arn:aws:iam::*:role/deployer')],
        exempt: [params.text('Exempt', 'arn:aws:iam::*:role/glass')],
        namePrefix: params.text('NamePrefix', 'residency'),
      }),
  },
  ResidencyWatch: {
    make: (stack, id, { regime }) => new lib.ResidencyWatch(stack, id, { regime }),
    tokens: (stack, id, params) =>
      new lib.ResidencyWatch(stack, id, { regime: lib.PrivacyRegime.EU, topic: params.topic('Topic') }),
  },
  RestoreTestingPlan: {
    absent: WITHOUT,
    make: (stack, id, _, near) => drills(stack, id, near),
    agnostic: (stack, id) => {
      const plan = new lib.RestoreTestingPlan(stack, id);
      plan.addSelection('Volumes', { resourceType: lib.ResourceType.EBS });
      return plan;
    },
    tokens: (stack, id, params) => {
      const plan = new lib.RestoreTestingPlan(stack, id, {
        schedule: Schedule.expression(params.text('Schedule', 'cron(0 3 ? * SUN *)')),
        startWindow: Duration.hours(params.number('StartWindow', 24)),
        selectionWindow: days(params.number('SelectionWindow', 30)),
        vaults: [params.vault('Vault')],
      });
      plan.addSelection('Databases', {
        resourceType: lib.ResourceType.RDS,
        resources: [params.text('Resource', 'arn:aws:rds:eu-central-1:111111111111:db:orders')],
        validationWindow: Duration.hours(params.number('ValidationWindow', 4)),
        restoreMetadata: { dbSubnetGroupName: params.text('SubnetGroup', 'drills') },
        role: params.role('Role'),
        validators: [
          lib.RestoreValidator.judgedBy(
            lambda.Function.fromFunctionAttributes(stack, `${id}Judge`, {
              functionArn: params.text('Judge', 'arn:aws:lambda:eu-central-1:111111111111:function:judge'),
              skipPermissions: true,
            }),
          ),
        ],
      });
      return plan;
    },
  },
  RestoreTestingSelection: {
    absent: WITHOUT,
    make: (stack, id) => {
      const plan = new lib.RestoreTestingPlan(stack, `${id}Plan`);
      return plan.addSelection(Names.uniqueResourceName(plan, { maxLength: 20 }), {
        resourceType: lib.ResourceType.EBS,
      });
    },
    agnostic: (stack, id) =>
      new lib.RestoreTestingPlan(stack, `${id}Plan`).addSelection('Volumes', {
        resourceType: lib.ResourceType.EBS,
      }),
    tokens: (stack, id, params) =>
      new lib.RestoreTestingPlan(stack, `${id}Plan`).addSelection('Selection', {
        resourceType: lib.ResourceType.DYNAMODB,
        tags: { drill: params.text('Tag') },
        validators: [lib.RestoreValidator.hasItems({ keys: [params.key('TableKey')] })],
      }),
  },
  SqlServerStaging: {
    make: (stack, id) => new lib.SqlServerStaging(stack, id),
    tokens: (stack, id, params) =>
      new lib.SqlServerStaging(stack, id, {
        instanceIdentifiers: [params.text('Instance', 'tenants')],
        encryptionKey: params.key('EncryptionKey'),
        accessLogs: params.bucket('AccessLogs'),
      }),
  },
  TenantBackups: {
    make: tenants,
    tokens: (stack, id, params) => tenantsByTokens(stack, id, params),
  },
  TenantDrill: {
    make: (stack, id, _, near) => new lib.TenantDrill(stack, id, { backups: tenants(near, `${id}Backups`) }),
    tokens: (stack, id, params) =>
      new lib.TenantDrill(stack, id, {
        backups: tenantsByTokens(stack, `${id}Backups`, params),
        alarmTopic: params.topic('DrillTopic'),
      }),
  },
};

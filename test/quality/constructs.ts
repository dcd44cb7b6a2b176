/** How each exported construct is made with little, for the tests that all of them have to pass: a new one goes here. */
import { Duration, Names, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
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
const days = Duration.days;
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
  },
  BackupAudit: {
    absent: ['aws-cn'],
    make: (stack, id, place, near) =>
      new lib.BackupAudit(stack, id, {
        regime: place.regime,
        plans: [planOf(near, id, place, vault(near, id))],
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
  },
  CacheSnapshots: {
    make: (stack, id) =>
      new lib.CacheSnapshots(stack, id, { replicationGroups: ['sessions'], serverlessCaches: ['carts'] }),
    agnostic: (stack, id) => new lib.CacheSnapshots(stack, id, { replicationGroups: ['sessions'] }),
  },
  InstanceSnapshots: {
    make: (stack, id, { copy }) =>
      new lib.InstanceSnapshots(stack, id, {
        targetTags: { role: id },
        copies: copy ? [copy] : [],
        scripts: lib.SnapshotScript.document('Freeze'),
      }),
    agnostic: (stack, id) => new lib.InstanceSnapshots(stack, id, { targetTags: { role: id } }),
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
  },
  RecycleBin: {
    make: (stack, id) => new lib.RecycleBin(stack, id, { unlockDelay: days(7) }),
    agnostic: (stack, id) => new lib.RecycleBin(stack, id),
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
  },
  RegimeVault: { make: (stack, id) => new lib.RegimeVault(stack, id, { copyAccounts: ['222222222222'] }) },
  ResidencyGuardPolicies: {
    make: (stack, id, { regime }) => new lib.ResidencyGuardPolicies(stack, id, { regime }),
    agnostic: (stack, id) => new lib.ResidencyGuardPolicies(stack, id, { regime: lib.PrivacyRegime.EU }),
  },
  ResidencyWatch: { make: (stack, id, { regime }) => new lib.ResidencyWatch(stack, id, { regime }) },
  RestoreTestingPlan: {
    absent: WITHOUT,
    make: (stack, id, _, near) => drills(stack, id, near),
    agnostic: (stack, id) => {
      const plan = new lib.RestoreTestingPlan(stack, id);
      plan.addSelection('Volumes', { resourceType: lib.ResourceType.EBS });
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
  },
  SqlServerStaging: { make: (stack, id) => new lib.SqlServerStaging(stack, id) },
  TenantBackups: { make: tenants },
  TenantDrill: {
    make: (stack, id, _, near) => new lib.TenantDrill(stack, id, { backups: tenants(near, `${id}Backups`) }),
  },
};

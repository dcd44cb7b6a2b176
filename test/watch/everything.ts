import type { Stack } from 'aws-cdk-lib';
import {
  BackupRule,
  BackupWatch,
  type BackupWatchProps,
  CacheSnapshots,
  InstanceSnapshots,
  PrivacyRegime,
  RegimeBackupPlan,
  RegimeVault,
  ResourceType,
  RestoreTestingPlan,
  RestoreValidator,
} from 'cdk-sovereign-backup';
import { appWith, stackIn } from '../synth';

export const regimes: Record<string, PrivacyRegime> = {
  'eu-central-1': PrivacyRegime.EU,
  'us-gov-west-1': PrivacyRegime.forRegion('us-gov-west-1'),
  'cn-north-1': PrivacyRegime.forRegion('cn-north-1'),
  'eusc-de-east-1': PrivacyRegime.forRegion('eusc-de-east-1'),
};

/** All that a watch can watch, in one stack. */
export function everything(
  app = appWith(),
  region: string | undefined = 'eu-central-1',
  more: Partial<BackupWatchProps> = {},
) {
  const stack = stackIn(region, app);
  const regime = regimes[region ?? ''] ?? PrivacyRegime.EU;
  const vault = new RegimeVault(stack, 'Vault', { regime, vaultName: 'ours' });
  const away = regime.regions.find((other) => other !== region && other !== 'eu-central-2');
  const copies = away
    ? [RegimeVault.fromAttributes(stack, 'Away', { vaultName: 'copies', region: away, regime })]
    : [];
  const plan = new RegimeBackupPlan(stack, 'Plan', {
    vault,
    copies,
    rules: [BackupRule.hourly(), BackupRule.continuous()],
  });
  plan.protect('Tagged', { tags: { backup: 'on' }, types: [ResourceType.EC2, ResourceType.RDS] });
  const snapshots = new InstanceSnapshots(stack, 'Snapshots', { regime, targetTags: { backup: 'on' } });
  // CloudFormation has no restore testing in these partitions.
  const drills = /^(us-gov|cn)-/.test(region ?? '') ? [] : [drillsOf(stack, vault)];
  const caches = [new CacheSnapshots(stack, 'Caches', { replicationGroups: ['sessions'] })];
  const props = { regime, vaults: [vault], plans: [plan], snapshots: [snapshots], caches, drills, ...more };
  const watch = new BackupWatch(stack, 'Watch', props);
  return { app, stack, vault, plan, snapshots, watch, props };
}

function drillsOf(stack: Stack, vault: RegimeVault): RestoreTestingPlan {
  const drills = new RestoreTestingPlan(stack, 'Drills', { vaults: [vault] });
  drills.addSelection('Instances', {
    resourceType: ResourceType.EC2,
    validators: [RestoreValidator.instanceBoots()],
  });
  return drills;
}

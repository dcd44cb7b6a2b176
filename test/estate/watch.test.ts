import { Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import {
  AuditReport,
  BackupEstate,
  type BackupEstateProps,
  PrivacyRegime,
  ResourceType,
} from 'cdk-sovereign-backup';
import { appWith, complaint } from '../synth';

function estate(more: Partial<BackupEstateProps> = {}) {
  const app = appWith();
  const made = new BackupEstate(app, 'Prod', {
    account: '111111111111',
    territories: [{ regime: PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1'] }],
    ...more,
  });
  const templateOf = (region: string) => Template.fromStack(made.stackOf(region));
  return { app, made, templateOf };
}

it('is watched wherever it has vaults, without being asked', () => {
  const { app, made, templateOf } = estate({ restoreTests: {} });
  // What somebody adds later is watched, too.
  made.territories[0]!.plan.protect('More', { tags: { a: 'b' }, types: [ResourceType.EFS] });
  expect(made.watches.map((watch) => [Stack.of(watch).region, watch.regime.id])).toEqual([
    ['eu-central-1', 'eu'],
    ['eu-west-1', 'eu'],
  ]);
  expect(complaint(app)).toBe('');
  const home = templateOf('eu-central-1');
  home.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  const alarms = Object.keys(home.findResources('AWS::CloudWatch::Alarm')).join();
  for (const part of [
    'MissingEC2',
    'MissingEFS',
    'Stale',
    'CopyMissing',
    'DrillOverdue',
    'SnapshotMissing',
    'Residency',
  ]) {
    expect(alarms).toContain(part);
  }
  const away = templateOf('eu-west-1');
  away.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
  away.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { detail: Match.objectLike({ eventName: Match.arrayWith(['DeleteRecoveryPoint']) }) },
  });
});

it('is not watched when that is said, and audited when it is', () => {
  const { app, made, templateOf } = estate({
    watch: { enabled: false },
    audit: { restoreWithin: Duration.hours(4), reports: [AuditReport.CONTROLS] },
  });
  expect(made.watches).toEqual([]);
  expect(complaint(app)).toBe('');
  const home = templateOf('eu-central-1');
  home.resourceCountIs('AWS::CloudWatch::Alarm', 0);
  home.resourceCountIs('AWS::Backup::Framework', 1);
  home.resourceCountIs('AWS::Backup::ReportPlan', 1);
  templateOf('eu-west-1').resourceCountIs('AWS::Backup::Framework', 0);
});

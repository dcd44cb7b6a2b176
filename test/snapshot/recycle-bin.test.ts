import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { RecycleBin, RecycledType } from 'cdk-sovereign-backup';
import { appWith, complaint, stackIn } from '../synth';

test('keeps deleted snapshots for a week, in any region; two in one stack', () => {
  const app = appWith();
  const stack = stackIn(undefined, app);
  new RecycleBin(stack, 'Snapshots');
  new RecycleBin(stack, 'Images', { recycled: RecycledType.IMAGES, unlockDelay: Duration.days(7) });
  const template = Template.fromStack(stack);
  template.hasResource('AWS::Rbin::Rule', {
    DeletionPolicy: Match.absent(),
    Properties: {
      ResourceType: 'EBS_SNAPSHOT',
      RetentionPeriod: { RetentionPeriodValue: 7, RetentionPeriodUnit: 'DAYS' },
    },
  });
  template.hasResource('AWS::Rbin::Rule', {
    DeletionPolicy: 'Retain',
    Properties: { LockConfiguration: { UnlockDelayValue: 7, UnlockDelayUnit: 'DAYS' } },
  });
  expect(complaint(app)).toBe('');
});

test('refuses what the Recycle Bin would, all at once', () => {
  const app = appWith();
  const stack = stackIn('eu-west-1', app);
  new RecycleBin(stack, 'Bad', {
    recycled: RecycledType.VOLUMES,
    retention: Duration.days(8),
    tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])),
    excludeTags: { a: '1', b: '2', c: '3', d: '4', e: '5', f: '6' },
    unlockDelay: Duration.days(31),
  });
  const message = complaint(app);
  for (const part of [
    'retention is 8 days, for EBS_VOLUME write whole days from 1 to 7',
    'tags has 51 tags',
    'excludeTags has 6 tags',
    'leave one of them out',
    'unlockDelay is 31 days',
    'only a rule for the whole region without exclusions can be locked',
  ]) {
    expect(message).toContain(part);
  }
});

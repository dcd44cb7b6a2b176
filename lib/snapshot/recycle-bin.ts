import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as rbin from 'aws-cdk-lib/aws-rbin';
import { Construct } from 'constructs';
import { addProblem } from '../problems';
import { settled } from '../settled';

/** What the Recycle Bin keeps. */
export enum RecycledType {
  /** Deleted EBS snapshots, for 1 to 365 days. */
  SNAPSHOTS = 'EBS_SNAPSHOT',
  /** Deregistered machine images, for 1 to 365 days; their snapshots must be kept at least as long. */
  IMAGES = 'EC2_IMAGE',
  /** Deleted EBS volumes, for 1 to 7 days. */
  VOLUMES = 'EBS_VOLUME',
}

/** What is kept after it was deleted, and for how long. */
export interface RecycleBinProps {
  /**
   * What is kept.
   *
   * @default RecycledType.SNAPSHOTS
   */
  readonly recycled?: RecycledType;

  /**
   * How long, in whole days. Storage is paid for as long.
   *
   * @default Duration.days(7)
   */
  readonly retention?: Duration;

  /**
   * Keep only what has any of these tags, 50 at most. Such a rule cannot be locked.
   *
   * @default - everything in the region
   */
  readonly tags?: { [key: string]: string };

  /**
   * Do not keep what has any of these tags, 5 at most: snapshots that a lifecycle policy has made and deleted, for
   * instance (`sovereign-backup: snapshot`), are otherwise paid for a second time. Such a rule cannot be locked.
   *
   * @default - nothing is left out
   */
  readonly excludeTags?: { [key: string]: string };

  /**
   * Lock the rule: who wants to change it has to unlock it and then wait this long, 7 to 30 days.
   *
   * @default - not locked
   */
  readonly unlockDelay?: Duration;
}

/**
 * Keeps deleted snapshots of this region for a while, so that a deletion by mistake or malice can be undone. A rule of
 * its own is needed in every region; the first one takes up to half an hour to begin.
 *
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin.html
 */
export class RecycleBin extends Construct {
  /** ARN of the rule. */
  public readonly ruleArn: string;

  constructor(scope: Construct, id: string, props: RecycleBinProps = {}) {
    super(scope, id);
    const recycled = props.recycled ?? RecycledType.SNAPSHOTS;
    const days = settled(this, 'retention', props.retention, Duration.days(7)).toDays({ integral: false });
    const most = recycled === RecycledType.VOLUMES ? 7 : 365;
    if (!Number.isInteger(days) || days < 1 || days > most) {
      addProblem(this, `retention is ${days} days, for ${recycled} write whole days from 1 to ${most}`);
    }
    const tags = tagList(props.tags);
    const excluded = tagList(props.excludeTags);
    if (tags.length > 50) addProblem(this, `tags has ${tags.length} tags, the Recycle Bin takes 50 at most`);
    if (excluded.length > 5)
      addProblem(this, `excludeTags has ${excluded.length} tags, the Recycle Bin takes 5 at most`);
    if (tags.length > 0 && excluded.length > 0) {
      addProblem(
        this,
        'has tags and excludeTags: exclusions belong to a rule for the whole region, leave one of them out',
      );
    }
    const delay =
      props.unlockDelay &&
      settled(this, 'unlockDelay', props.unlockDelay, Duration.days(7)).toDays({ integral: false });
    if (delay !== undefined && (!Number.isInteger(delay) || delay < 7 || delay > 30)) {
      addProblem(this, `unlockDelay is ${delay} days, write whole days from 7 to 30`);
    }
    if (delay !== undefined && tags.length + excluded.length > 0) {
      addProblem(
        this,
        'is to be locked and has tags: only a rule for the whole region without exclusions can be locked, leave unlockDelay or ' +
          'the tags out',
      );
    }
    const rule = new rbin.CfnRule(this, 'Resource', {
      resourceType: recycled,
      description: `Keeps deleted ${recycled} for ${days} days`,
      retentionPeriod: { retentionPeriodValue: Math.ceil(days), retentionPeriodUnit: 'DAYS' },
      resourceTags: tags.length > 0 ? tags : undefined,
      excludeResourceTags: excluded.length > 0 ? excluded : undefined,
      lockConfiguration:
        delay === undefined ? undefined : { unlockDelayValue: Math.ceil(delay), unlockDelayUnit: 'DAYS' },
    });
    // A locked rule cannot be deleted; a stack that tried would be stuck.
    if (delay !== undefined) rule.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.ruleArn = rule.attrArn;
  }
}

function tagList(tags: { [key: string]: string } = {}): rbin.CfnRule.ResourceTagProperty[] {
  return Object.entries(tags).map(([resourceTagKey, resourceTagValue]) => ({
    resourceTagKey,
    resourceTagValue,
  }));
}

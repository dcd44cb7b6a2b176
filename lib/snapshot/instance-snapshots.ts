import { Duration, Stack } from 'aws-cdk-lib';
import * as dlm from 'aws-cdk-lib/aws-dlm';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { aws_dlm, ResourceEnvironment } from 'aws-cdk-lib/interfaces';
import { Construct } from 'constructs';
import { objectiveProblems } from '../objective/assessment';
import { snapshotLayer } from '../objective/snapshot-layer';
import type { Store } from '../objective/store';
import { type Layer, span } from '../objective/worst-case';
import type { RecoveryObjective } from '../plan';
import { objectiveOf } from '../plan/objective-of';
import { addProblem, addWarning } from '../problems';
import { Cargo, PrivacyRegime } from '../regime';
import { reviewException } from '../regime/exception-check';
import { homeRegionProblem, moveProblem, separationProblem } from '../regime/move-check';
import { isUnresolved, regionProblem } from '../regime/region-check';
import { settled } from '../settled';
import type { InstanceSnapshotsProps } from './instance-snapshots-props';
import { snapshotRole } from './snapshot-role';

const INTERVALS = [1, 2, 3, 4, 6, 8, 12, 24];
const MOST_COPIES = 3;
const MOST_TAGS = 50;

/**
 * Snapshots of tagged EC2 instances by Data Lifecycle Manager, crash-consistent or by scripts consistent for the
 * application, with copies that stay in the regime.
 *
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-ami-policy.html
 */
export class InstanceSnapshots extends Construct implements aws_dlm.ILifecyclePolicyRef {
  /** The regime that copies stay in; undefined when nothing is copied and the region is not known. */
  public readonly regime?: PrivacyRegime;

  /** The role of the lifecycle policy. */
  public readonly role: iam.IRole;

  public readonly env: ResourceEnvironment;

  /** @internal What the watch has to know of the declaration. */
  public readonly _declared: Pick<InstanceSnapshotsProps, 'targetTags' | 'excludeBootVolume' | 'copies'>;

  private readonly policy: dlm.CfnLifecyclePolicy;
  private readonly layer: Layer;

  constructor(scope: Construct, id: string, props: InstanceSnapshotsProps) {
    super(scope, id);
    const { region, account } = Stack.of(this);
    this.env = { region, account };
    const copies = props.copies ?? [];
    this._declared = props;
    this.regime = props.regime ?? (regionProblem(region) ? undefined : PrivacyRegime.forRegion(region));
    const hours = settled(this, 'interval', props.interval, Duration.hours(1)).toHours({ integral: false });
    const retention = settled(this, 'retention', props.retention, Duration.days(7));
    const copyRetention = settled(this, 'copyRetention', props.copyRetention, retention);
    this.check(props, hours, retention, copyRetention);
    this.checkCopies(props, region, copies);
    const own = props.role
      ? undefined
      : snapshotRole(this, 'Role', {
          copies,
          keys: [...(props.volumeKeys ?? []), ...Object.values(props.copyKeys ?? {})],
          scripts: props.scripts,
          targetTags: props.targetTags,
        });
    this.role = props.role ?? own!.role;
    this.layer = snapshotLayer(
      hours * 60,
      wholeDays(retention),
      this.stores(props, retention, copyRetention),
    );

    this.policy = new dlm.CfnLifecyclePolicy(this, 'Resource', {
      description: `Instance snapshots every ${hours} h kept ${wholeDays(retention)} days`,
      state: 'ENABLED',
      executionRoleArn: this.role.roleArn,
      policyDetails: {
        policyType: 'EBS_SNAPSHOT_MANAGEMENT',
        resourceTypes: ['INSTANCE'],
        targetTags: Object.entries(props.targetTags).map(([key, value]) => ({ key, value })),
        parameters: props.excludeBootVolume ? { excludeBootVolume: true } : undefined,
        schedules: [
          {
            name: `every ${hours} h`,
            copyTags: true,
            createRule: {
              interval: hours,
              intervalUnit: 'HOURS',
              times: [props.startTime ?? '00:00'],
              scripts: props.scripts && [props.scripts._property()],
            },
            retainRule: { interval: wholeDays(retention), intervalUnit: 'DAYS' },
            tagsToAdd: Object.entries({ 'sovereign-backup': 'snapshot', ...props.snapshotTags }).map(
              ([key, value]) => ({ key, value }),
            ),
            crossRegionCopyRules:
              copies.length > 0 ? copies.map((to) => this.copyRule(to, props, copyRetention)) : undefined,
          },
        ],
      },
    });
    // The first run must not find a role that cannot do its work yet.
    if (own) this.policy.node.addDependency(own.rights);
  }

  /** The id of the lifecycle policy, by which its metrics and snapshots are found. */
  public get policyId(): string {
    return this.policy.ref;
  }

  /** ARN of the lifecycle policy. */
  public get lifecyclePolicyRef(): aws_dlm.LifecyclePolicyReference {
    return this.policy.lifecyclePolicyRef;
  }

  /**
   * Fails synthesis when the snapshots alone cannot keep the objective, with the arithmetic.
   *
   * @param objective what was promised
   */
  public requireObjective(objective: RecoveryObjective): void {
    const home = this.layer.stores![0];
    const problems = objectiveProblems('EC2', [this.layer], objectiveOf(objective), home);
    for (const problem of problems) addProblem(this, problem);
  }

  /** @internal The schedule as the objective arithmetic sees it. */
  public _layer(): Layer {
    return this.layer;
  }

  private stores(props: InstanceSnapshotsProps, retention: Duration, copyRetention: Duration): Store[] {
    const { region, account } = this.env;
    const known = (text: string) => (isUnresolved(text) ? null : text);
    const kept = wholeDays(copyRetention);
    return [region, ...(props.copies ?? [])].map((place, i) => ({
      kind: 'snapshots',
      name: null,
      region: known(place),
      account: known(account),
      lock: 'none',
      retentionDays: i === 0 ? wholeDays(retention) : kept,
    }));
  }

  private copyRule(
    to: string,
    props: InstanceSnapshotsProps,
    copyRetention: Duration,
  ): dlm.CfnLifecyclePolicy.CrossRegionCopyRuleProperty {
    return {
      target: to,
      encrypted: true,
      cmkArn: props.copyKeys?.[to]?.keyRef.keyArn,
      copyTags: true,
      retainRule: { interval: wholeDays(copyRetention), intervalUnit: 'DAYS' },
    };
  }

  private check(
    props: InstanceSnapshotsProps,
    hours: number,
    retention: Duration,
    copyRetention: Duration,
  ): void {
    if (!INTERVALS.includes(hours)) {
      addProblem(
        this,
        `interval is ${span(hours * 60)}, Data Lifecycle Manager takes ${INTERVALS.join(', ')} hours`,
      );
    }
    const tags = Object.keys(props.targetTags).length;
    if (tags < 1 || tags > MOST_TAGS) {
      addProblem(this, `targetTags has ${tags} tags: name 1 to ${MOST_TAGS} by which instances are found`);
    }
    if (props.scripts && Object.keys(props.targetTags).some(isUnresolved)) {
      addProblem(
        this,
        'targetTags has a key that is known only at deployment, and the role that runs scripts must name it: write it out',
      );
    }
    const { startTime = '00:00' } = props;
    if (!isUnresolved(startTime) && !/^([01]\d|2[0-3]):[0-5]\d$/.test(startTime)) {
      addProblem(this, `startTime is '${startTime}', write HH:MM in UTC, as in 00:30`);
    }
    for (const problem of props.scripts?._problems() ?? []) addProblem(this, problem);
    for (const [name, duration] of [
      ['retention', retention],
      ['copyRetention', copyRetention],
    ] as const) {
      const days = duration.toDays({ integral: false });
      if (!Number.isInteger(days) || days < 1 || days > 36_500) {
        addProblem(this, `${name} is ${days} days, write whole days from 1 to 36500`);
      }
    }
  }

  private checkCopies(props: InstanceSnapshotsProps, region: string, copies: string[]): void {
    const { regime } = this;
    if (props.regime) {
      const homeProblem = homeRegionProblem(region, props.regime);
      if (homeProblem) addProblem(this, `snapshots of '${props.regime.id}': ${homeProblem}`);
    }
    for (const exception of props.exceptions ?? []) {
      const { errors, warnings } = reviewException(exception, new Date());
      for (const error of errors) addProblem(this, error);
      for (const warning of warnings) addWarning(this, 'exception-expires', warning);
    }
    if (copies.length > MOST_COPIES) {
      addProblem(this, `has ${copies.length} copies, Data Lifecycle Manager makes ${MOST_COPIES} at most`);
    }
    if (new Set(copies).size < copies.length) addProblem(this, 'names the same region twice in copies');
    if (copies.length > 0 && !regime) {
      addProblem(this, `copies snapshots from a region that ${regionProblem(region)}`);
    }
    for (const to of copies) {
      if (to === region) {
        addProblem(this, `copies snapshots from ${region} to itself: name another region of the regime`);
        continue;
      }
      const problem =
        regime &&
        moveProblem({
          what: Cargo.SNAPSHOT,
          from: region,
          to,
          regime,
          exceptions: props.exceptions,
          now: new Date(),
        });
      if (problem) addProblem(this, problem);
      const separation = problem ? undefined : separationProblem(region, to);
      if (separation?.tooNear) addProblem(this, separation.text);
      else if (separation) addWarning(this, 'copies-near', separation.text);
    }
    for (const [to, key] of Object.entries(props.copyKeys ?? {})) {
      if (!copies.includes(to)) {
        addProblem(this, `copyKeys has a key for ${to}, to which nothing is copied: add it to copies`);
      } else if (key.env.region !== to) {
        const unclear = regionProblem(key.env.region);
        addProblem(
          this,
          unclear
            ? `copyKeys: the region of the key for ${to} ${unclear}`
            : `copyKeys: the key for ${to} is in ${key.env.region}; a copy takes a key of its own region`,
        );
      }
    }
  }
}

/** A part of a day has already been reported as a problem. */
const wholeDays = (duration: Duration) => Math.ceil(duration.toDays({ integral: false }));

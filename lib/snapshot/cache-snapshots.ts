import { ArnFormat, Duration, RemovalPolicy, Stack, type TimeZone } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcards, CONTROL_PACKS, inPacks } from '../acknowledge';
import { scheduleGap } from '../objective/rule-layer';
import { addProblem } from '../problems';
import { recordLayer } from '../record-layer';
import { isUnresolved } from '../regime/region-check';
import { settled } from '../settled';
import { runsFailed, scheduledRun } from '../tenant/scheduled-run';
import { cacheDefinition } from './cache-machine';

/** Which caches are snapshotted, when, and how long the snapshots are kept. */
export interface CacheSnapshotsProps {
  /**
   * Ids of replication groups of Valkey or Redis OSS in this region.
   *
   * @default - none
   */
  readonly replicationGroups?: string[];

  /**
   * Names of serverless caches in this region.
   *
   * @default - none
   */
  readonly serverlessCaches?: string[];

  /**
   * When: a cron or rate expression. ElastiCache makes at most 20 (nodes) or 24 (serverless) snapshots of a cache a day.
   *
   * @default 'cron(0 3 * * ? *)'
   */
  readonly schedule?: string;

  /**
   * The time zone of the schedule.
   *
   * @default TimeZone.ETC_UTC
   */
  readonly timeZone?: TimeZone;

  /**
   * How long snapshots are kept, in whole days.
   *
   * @default Duration.days(7)
   */
  readonly retention?: Duration;
}

const RUN_MINUTES = 60;

/**
 * Snapshots of ElastiCache caches that somebody else's stack declares, which AWS Backup does not protect.
 *
 * A cache is knowingly no place for data that must survive: a snapshot holds what was in memory when it began, stays in
 * the account and region of the cache, under no lock, and what came after it is lost with the cache. Keep what must survive
 * in a database, and back that up. A cache of your own stack needs no such construct: set `snapshotRetentionLimit` there.
 *
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/backups.html
 */
export class CacheSnapshots extends Construct {
  /** One run over all caches. */
  public readonly stateMachine: sfn.IStateMachine;

  /** @internal How long there may be no success: from run to run, and the longest run. */
  public readonly _withinMinutes: number;

  constructor(scope: Construct, id: string, props: CacheSnapshotsProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const groups = props.replicationGroups ?? [];
    const serverless = props.serverlessCaches ?? [];
    const expression = props.schedule ?? 'cron(0 3 * * ? *)';
    const days = settled(this, 'retention', props.retention, Duration.days(7)).toDays({ integral: false });
    const gap = this.check(groups, serverless, expression, props.timeZone, days);
    const toSnapshot = (name: string) => ({ name, prefix: `sb-${name}-` });
    this.stateMachine = new sfn.StateMachine(this, 'Run', {
      comment: 'Snapshots caches, and expires the snapshots that it has made',
      definitionBody: sfn.DefinitionBody.fromString(
        JSON.stringify(
          cacheDefinition(
            stack.partition,
            Math.ceil(days),
            groups.map(toSnapshot),
            serverless.map(toSnapshot),
          ),
        ),
      ),
      role: this.role(groups, serverless),
      timeout: Duration.minutes(RUN_MINUTES),
      tracingEnabled: true,
      logs: {
        level: sfn.LogLevel.ALL,
        destination: new logs.LogGroup(this, 'Log', {
          retention: logs.RetentionDays.ONE_YEAR,
          removalPolicy: RemovalPolicy.RETAIN,
        }),
      },
    });
    scheduledRun(this, {
      machine: this.stateMachine,
      what: 'Snapshots of caches',
      schedule: expression,
      timeZone: props.timeZone,
    });
    this._withinMinutes = gap + RUN_MINUTES;
    this.explain();
    for (const [i, name] of [...groups, ...serverless].entries()) {
      // A template's Metadata knows no references.
      this.record(isUnresolved(name) ? `${i + 1} of ${this.node.path}` : name, gap, Math.ceil(days));
    }
  }

  /** Runs in which a cache was left without a snapshot, or that were stopped or took too long. */
  public metricFailed(options: cloudwatch.MetricOptions = {}): cloudwatch.IMetric {
    return runsFailed(this.stateMachine, 'cache snapshots failed', options);
  }

  /** Runs in which every cache was snapshotted, each hour. */
  public metricSucceeded(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.stateMachine.metricSucceeded({ statistic: 'Sum', period: Duration.hours(1), ...options });
  }

  private check(
    groups: string[],
    serverless: string[],
    expression: string,
    zone: TimeZone | undefined,
    days: number,
  ): number {
    const names = [...groups, ...serverless];
    if (names.length === 0) addProblem(this, 'names no cache: name replicationGroups or serverlessCaches');
    for (const name of names) {
      if (isUnresolved(name)) continue;
      if (/^[a-z](?:[a-z0-9]|-(?!-))*[a-z0-9]$/.test(name) && name.length <= 40) continue;
      addProblem(
        this,
        `'${name}' is no cache: write its id, of lower-case letters, digits and single dashes`,
      );
    }
    for (const name of new Set(names.filter((one, i) => names.indexOf(one) < i))) {
      addProblem(this, `names '${name}' twice`);
    }
    if (!Number.isInteger(days) || days < 1 || days > 365) {
      addProblem(this, `retention is ${days} days, write whole days from 1 to 365`);
    }
    try {
      const gap = scheduleGap(expression, zone?.timezoneName);
      const most = 50;
      const kept = Math.ceil((days * 1440) / gap) + 1;
      if (gap < 72) {
        addProblem(
          this,
          `its schedule runs every ${gap} min, ElastiCache makes 20 snapshots of a cache a day: run at most every 72 min`,
        );
      } else if (kept > most) {
        addProblem(
          this,
          `keeps ${kept} snapshots of each cache, ${most} can be kept: run less often, or keep them for a shorter time`,
        );
      }
      return gap;
    } catch (error) {
      addProblem(this, `its schedule cannot be read: ${(error as Error).message}`);
      return 1440;
    }
  }

  /** May snapshot these caches, and delete the snapshots that bear our names. */
  private role(groups: string[], serverless: string[]): iam.Role {
    const role = new iam.Role(this, 'RunRole', {
      description: 'Snapshots caches, and expires the snapshots that it has made',
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    const arn = (resource: string, resourceName: string) =>
      Stack.of(this).formatArn({
        service: 'elasticache',
        resource,
        resourceName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    const allow = (actions: string[], resources: string[]) =>
      role.addToPolicy(new iam.PolicyStatement({ actions, resources }));
    if (groups.length > 0) {
      const caches = groups.map((name) => arn('replicationgroup', name));
      const own = groups.map((name) => arn('snapshot', `sb-${name}-*`));
      allow(['elasticache:CreateSnapshot'], [...caches, ...own]);
      allow(['elasticache:DescribeSnapshots'], [...caches, arn('snapshot', '*')]);
      allow(['elasticache:DeleteSnapshot'], own);
    }
    if (serverless.length > 0) {
      const caches = serverless.map((name) => arn('serverlesscache', name));
      const own = serverless.map((name) => arn('serverlesscachesnapshot', `sb-${name}-*`));
      allow(['elasticache:CreateServerlessCacheSnapshot'], [...caches, ...own]);
      allow(
        ['elasticache:DescribeServerlessCacheSnapshots'],
        [...caches, arn('serverlesscachesnapshot', '*')],
      );
      allow(['elasticache:DeleteServerlessCacheSnapshot'], own);
    }
    return role;
  }

  private explain(): void {
    acknowledgeWildcards(
      this,
      'Names of snapshots end in the time they were made; those of others can be listed, not deleted; X-Ray and the ' +
        'delivery of logs know no resources',
    );
    const packs = CONTROL_PACKS;
    acknowledge(this, {
      ...inPacks(
        packs,
        'IAMNoInlinePolicy',
        'Each policy belongs to one role and to nothing else, and goes with it',
      ),
      ...inPacks(
        packs,
        'CloudWatchLogGroupEncrypted',
        'CloudWatch encrypts logs by itself; they name caches only',
      ),
    });
  }

  private record(name: string, gap: number, retentionDays: number): void {
    const { region, account } = Stack.of(this);
    recordLayer(this, `cache ${name}`, {
      name: 'cache snapshots',
      intervalMinutes: gap,
      startDelayMinutes: 0,
      startDelayReason: '',
      completionMinutes: RUN_MINUTES,
      retentionDays,
      stores: [{ kind: 'automated', name: null, region, account, lock: 'none', retentionDays }],
    });
  }
}

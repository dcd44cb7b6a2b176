import { Duration, Stack, Token } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Rule } from 'aws-cdk-lib/aws-events';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { DeclarationError } from '../errors';
import { addProblem } from '../problems';
import type { PrivacyRegime, TransferException } from '../regime';
import { reviewException } from '../regime/exception-check';
import { findRegion } from '../regime/lookup';
import { arrivals, departures } from './copy-events';
import { rawRule } from './raw-rule';
import { TopicAction, TopicTarget } from './topic-target';
import { ruleMetric } from './watch-metrics';
import { watchTopic } from './watch-topic';

/** What is watched, and who is told. */
export interface ResidencyWatchProps {
  /** The regime whose data is watched. */
  readonly regime: PrivacyRegime;

  /**
   * Transfers out of the regime that are no reason for an alarm.
   *
   * @default - every copy out of the regime is one
   */
  readonly exceptions?: TransferException[];

  /**
   * Receives each event as it happens, and the alarm. An encrypted one must let CloudWatch and EventBridge use its key.
   *
   * @default - a new topic of this region, encrypted with a key of its own
   */
  readonly topic?: ITopic;
}

/**
 * Notices copies that leave a regime, however they were started: by a plan, by hand, by a script.
 *
 * In a region of the regime it watches AWS Backup copy jobs, key replicas and secret replicas that go elsewhere. EBS
 * and RDS tell of a copy in the region where it lands, so put one also in every enabled region *outside* the regime:
 * there it watches what arrives. Key, secret, image and database calls are seen only where CloudTrail records
 * management events. Events are delivered best effort: this is the third lock, after the audit and the guard.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
 */
export class ResidencyWatch extends Construct {
  /** Receives each event and the alarm. */
  public readonly topic: ITopic;

  /** Goes off when anything left the regime in the last five minutes. */
  public readonly alarm: Alarm;

  private readonly rules: Rule[];

  /**
   * @throws when the region of the stack is not known at synthesis, is of another partition, or has nothing to watch
   */
  constructor(scope: Construct, id: string, props: ResidencyWatchProps) {
    super(scope, id);
    const { regime } = props;
    const here = Stack.of(this).region;
    if (Token.isUnresolved(here)) {
      throw new DeclarationError(
        `${this.node.path}: what has to be watched depends on the region, and the stack has none; ` +
          `write new Stack(app, id, { env: { account, region: '${regime.regions[0]}' } })`,
      );
    }
    const partition = findRegion(here)?.partition;
    if (partition !== undefined && partition !== regime.partition) {
      throw new DeclarationError(
        `${this.node.path}: nothing of ${regime.id} can arrive in ${here}, which is of the partition ${partition} and not ${regime.partition}; remove the watch`,
      );
    }
    for (const exception of props.exceptions ?? []) {
      for (const error of reviewException(exception, new Date()).errors) addProblem(this, error);
    }
    const watched = {
      partition: regime.partition,
      regions: regime.regions,
      transfers: (props.exceptions ?? [])
        .filter(({ from }) => from.id === regime.id)
        .map(({ to, what }) => ({ regions: to.regions, what })),
    };
    const events = regime.contains(here) ? departures(watched) : arrivals(watched, here);
    if (events.length === 0) {
      throw new DeclarationError(
        `${this.node.path}: nothing is to be watched in ${here}, since the exceptions let everything of ${regime.id} go there; remove the watch`,
      );
    }
    this.topic = props.topic ?? watchTopic(this, 'Topic', regime.id).topic;
    TopicTarget.letIn(this.topic);
    this.rules = events.map(({ id: name, description, pattern }) =>
      rawRule(this, name, {
        description: `${description} (${regime.id})`,
        pattern,
        targets: [new TopicTarget(this.topic)],
      }),
    );
    this.alarm = new Alarm(this, 'Alarm', {
      alarmDescription: `Data, or a key to it, left the privacy regime ${regime}: see the topic for what, whence and whither.`,
      metric: this.metricCopies(),
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    this.alarm.addAlarmAction(new TopicAction(this.topic));
  }

  /** Events that told of something leaving the regime, in five minutes. */
  public metricCopies(): MathExpression {
    const metrics = this.rules.map(ruleMetric);
    return new MathExpression({
      expression: 'SUM(METRICS())',
      usingMetrics: Object.fromEntries(metrics.map((metric, i) => [`m${i}`, metric])),
      label: 'copies out of the regime',
      period: Duration.minutes(5),
    });
  }
}

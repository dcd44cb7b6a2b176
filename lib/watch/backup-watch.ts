import { Duration, Lazy, Names, Stack, Token } from 'aws-cdk-lib';
import { CfnBackupVault } from 'aws-cdk-lib/aws-backup';
import type { Dashboard, IAlarm, MathExpression, Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { aws_kms } from 'aws-cdk-lib/interfaces';
import { Construct, type IConstruct } from 'constructs';
import { addProblem, addWarning } from '../problems';
import type { PrivacyRegime } from '../regime';
import { settled } from '../settled';
import type { CacheSnapshots } from '../snapshot';
import type { TenantBackups, TenantDrill } from '../tenant';
import { RegimeVault } from '../vault';
import { placeOfVault } from '../vault/vault-place';
import { cacheRow, tenantDrillRow, tenantRow } from './added-rows';
import { alarmSpecs, DESTRUCTION, onSelections } from './alarm-specs';
import { backupEvents } from './backup-events';
import type { BackupWatchProps, NotifyOptions } from './backup-watch-props';
import { deletionEvents } from './deletion-events';
import { rawRule } from './raw-rule';
import { ResidencyWatch } from './residency-watch';
import { chatMessage, sentenceOf, Telling } from './sentence';
import { atLeast, WatchSeverity } from './severity';
import { snapshotEvents } from './snapshot-events';
import { survey, surveyParts } from './survey';
import { TopicAction, TopicTarget } from './topic-target';
import { type AlarmSpec, cacheAlarms, LONGEST_HOURS, makeAlarm } from './watch-alarms';
import { watchDashboard } from './watch-dashboard';
import { ruleMetric, sumOf, sumOfVaults, surveyMetric } from './watch-metrics';
import { explainWatchToNag } from './watch-nag';
import { watchTopic } from './watch-topic';
import type { Watched, WatchedEvent } from './watched-event';
import { drillWithinMinutes } from './windows';

const RUNBOOK = 'https://github.com/cdk-sovereign-backup/cdk-sovereign-backup/blob/main/docs/watch.md';
const MOST_TARGETS = 5;
const SURVEY_MINUTES = [5, 10, 15, 20, 30, 60];

/**
 * Watches the backups of one regime in one region: tells of what fails, and of what does not happen at all.
 *
 * Events of AWS Backup, Data Lifecycle Manager, EBS, KMS and CloudTrail go to a topic as sentences. Alarms ring for jobs
 * that fail, hang or are missing, for resources without a recent recovery point, for drills that fail or are overdue, for
 * copies that do not arrive or leave the regime, and for attempts to destroy backups or their key. Put one into every
 * region that has vaults of the regime.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/monitoring.html
 */
export class BackupWatch extends Construct {
  /** The regime. */
  public readonly regime: PrivacyRegime;

  /** Receives alarms, and events as sentences. */
  public readonly topic: ITopic;

  /** All alarms: those of its own, of the residency watch and of the tenant backups. */
  public readonly alarms: IAlarm[] = [];

  /** Notices copies that leave the regime; undefined in a stack without a region of its own. */
  public readonly residency?: ResidencyWatch;

  /** The dashboard, to put more on it; undefined when there is none. */
  public readonly dashboard?: Dashboard;

  private readonly props: BackupWatchProps;
  private readonly name: string;
  private readonly every: Duration;
  private readonly rules = new Map<string, { readonly rule: Rule; readonly event: WatchedEvent }>();
  private readonly bySeverity = new Map<WatchSeverity, IAlarm[]>();
  private readonly alarmRules = new Map<WatchSeverity, Rule>();
  private readonly targets = new Map<Rule, number>();
  private readonly runbookUrl: string;
  private caches = 0;

  constructor(scope: Construct, id: string, props: BackupWatchProps) {
    super(scope, id);
    this.props = {
      ...props,
      plans: this.near(props.plans),
      snapshots: this.near(props.snapshots),
      drills: this.near(props.drills),
      tenants: this.near(props.tenants),
      tenantDrills: this.near(props.tenantDrills),
      caches: this.near(props.caches),
    };
    this.regime = props.regime;
    this.every = settled(this, 'surveyEvery', props.surveyEvery, Duration.minutes(15));
    const copiesWithin = settled(this, 'copiesWithin', props.copiesWithin, Duration.hours(24));
    this.runbookUrl = props.runbookUrl ?? RUNBOOK;
    this.name = Names.uniqueResourceName(this, { maxLength: 120, separator: '-' });
    this.check();
    const own = props.topic ? undefined : watchTopic(this, 'Topic', this.regime.id);
    this.topic = props.topic ?? own!.topic;
    TopicTarget.letIn(this.topic);
    for (const event of this.events(own?.key)) this.addRule(event);
    this.residency = props.residency ?? this.makeResidency();
    this.tellOfInterruptions();

    const { plans = [], snapshots = [], drills = [], tenants = [] } = this.props;
    const looked = { plans, snapshots, drills, copiesWithin };
    const parts = surveyParts(looked);
    const handler = Object.values(parts).some(Boolean)
      ? survey(this, this.name, looked, this.every)
      : undefined;
    const found = (name: string, options?: MetricOptions) =>
      surveyMetric(name, this.name, { period: this.every, ...options });
    const ruleMetrics = (ids: string[]) => this.ruleMetrics(ids);
    for (const spec of alarmSpecs({ props: this.props, parts, every: this.every, found, ruleMetrics }))
      this.addAlarm(spec);
    onSelections({ props: this.props, found }, (spec) => this.addAlarm(spec));
    if (this.residency) this.remember(WatchSeverity.CRITICAL, this.residency.alarm);
    if (props.dashboard ?? true) {
      this.dashboard = watchDashboard(this, {
        regime: this.regime.id,
        runbookUrl: this.runbookUrl,
        alarms: this.alarms,
        props: this.props,
        parts,
        survey: found,
        surveyLog: handler?.logGroup.logGroupName,
        events: [...this.rules.values()].map(({ rule, event }) => ({
          metric: ruleMetric(rule),
          label: event.id,
          severity: event.severity,
        })),
      });
    }
    for (const each of tenants) this.addTenants(each);
    for (const each of this.props.tenantDrills ?? []) this.addTenantDrill(each);
    for (const each of this.props.caches ?? []) this.addCaches(each);
    explainWatchToNag(this);
  }

  /** Backup jobs that failed, in all vaults of the watch. */
  public metricFailed(): MathExpression {
    return this.sum('NumberOfBackupJobsFailed', 'backup jobs failed');
  }

  /** Backup jobs that did not start in time. */
  public metricExpired(): MathExpression {
    return this.sum('NumberOfBackupJobsExpired', 'backup jobs expired');
  }

  /** Backup jobs that were stopped. */
  public metricAborted(): MathExpression {
    return this.sum('NumberOfBackupJobsAborted', 'backup jobs aborted');
  }

  /**
   * Backup jobs that were completed, each hour.
   *
   * @param resourceType as AWS Backup names it: `EC2`, `RDS`
   */
  public metricCompleted(resourceType?: string): MathExpression {
    return this.sum('NumberOfBackupJobsCompleted', 'backup jobs completed', resourceType, Duration.hours(1));
  }

  /** Selected resources whose newest recovery point is older than their plan allows. */
  public metricStaleResources(options?: MetricOptions): Metric {
    return surveyMetric('StaleResources', this.name, { period: this.every, ...options });
  }

  /** Selected resources without any recovery point. */
  public metricUnprotectedResources(options?: MetricOptions): Metric {
    return surveyMetric('UnprotectedResources', this.name, { period: this.every, ...options });
  }

  /** Age in seconds of the newest recovery point of that resource of which it is oldest. */
  public metricWorstAge(options?: MetricOptions): Metric {
    return surveyMetric('WorstAge', this.name, { period: this.every, ...options });
  }

  /** Seconds since the last good drill of that plan of which it is longest ago. */
  public metricDrillAge(options?: MetricOptions): Metric {
    return surveyMetric('DrillAge', this.name, { period: this.every, ...options });
  }

  /** Events that told of an attempt to destroy backups. */
  public metricDeletionAttempts(): MathExpression {
    return sumOf(this.ruleMetrics(DESTRUCTION), 'deletion attempts');
  }

  /**
   * Has a ticket system, a queue, a function or another account told as well, of events and alarms.
   *
   * @param target any target of EventBridge; it gets a sentence unless it has an input of its own
   */
  public notify(target: IRuleTarget, options: NotifyOptions = {}): void {
    const { atLeast: least = WatchSeverity.INFO, wholeEvent = false } = options;
    for (const { rule, event } of this.matching(least)) {
      const told = wholeEvent ? target : new Telling(target, sentenceOf(this.regime.id, event));
      this.addTarget(rule, told);
    }
  }

  /**
   * Has a chat channel told, by a topic of its own to which the channel's configuration in Amazon Q Developer (AWS
   * Chatbot) subscribes. Only what is written for it is shown there.
   */
  public notifyChat(topic: ITopic, atLeast?: WatchSeverity): void {
    for (const { rule, event } of this.matching(atLeast ?? WatchSeverity.INFO)) {
      this.addTarget(rule, new SnsTopic(topic, { message: chatMessage(this.regime.id, event) }));
    }
  }

  /** Puts the backups of tenants on the dashboard, and has whoever is notified told of their alarms. */
  public addTenants(tenants: TenantBackups): void {
    for (const alarm of [tenants.failedAlarm, tenants.missingAlarm]) {
      this.remember(WatchSeverity.CRITICAL, alarm);
    }
    this.dashboard?.addWidgets(...tenantRow(tenants));
  }

  /** Puts the restore drills of tenants on the dashboard, and has whoever is notified told of their alarms. */
  public addTenantDrill(drill: TenantDrill): void {
    for (const alarm of [drill.failedAlarm, drill.overdueAlarm]) {
      this.remember(WatchSeverity.CRITICAL, alarm);
    }
    this.dashboard?.addWidgets(...tenantDrillRow(drill));
  }

  /** Rings when snapshots of caches fail or are missing, and puts them on the dashboard. */
  public addCaches(caches: CacheSnapshots): void {
    this.caches++;
    const hours = Math.min(LONGEST_HOURS, Math.ceil(caches._withinMinutes / 60));
    for (const spec of cacheAlarms(caches.metricFailed(), caches.metricSucceeded(), hours)) {
      this.addAlarm(this.caches === 1 ? spec : { ...spec, id: `${spec.id}-${this.caches}` });
    }
    this.dashboard?.addWidgets(...cacheRow(caches));
  }

  /** What is elsewhere is told of, and left out: to refer to it would fail with less to say. */
  private near<T extends IConstruct>(list?: T[]): T[] | undefined {
    return list?.filter((each) => this.isHere(each.node.path, Stack.of(each).region));
  }

  private isHere(what: string, region: string): boolean {
    const here = Stack.of(this).region;
    if (Token.isUnresolved(region) || Token.isUnresolved(here) || region === here) return true;
    addProblem(
      this,
      `${what} is in ${region} and the watch in ${here}: events and metrics stay in their region, put a watch of its own there`,
    );
    return false;
  }

  private check(): void {
    const { vaults } = this.props;
    if (vaults.length === 0) addProblem(this, 'has no vaults: name those of this region');
    for (const vault of vaults) this.isHere(`the vault ${vault.vaultName}`, placeOfVault(vault).region);
    const { plans = [], drills = [] } = this.props;
    for (const drill of drills.filter((each) => drillWithinMinutes(each) === undefined)) {
      addWarning(
        this,
        'drill-age-not-watched',
        `${drill.node.path} has a schedule or start window that is known only at deployment: that it is overdue is not noticed`,
      );
    }
    const others = [...vaults, ...plans].map(({ regime }) => regime.id).filter((id) => id !== this.regime.id);
    for (const id of new Set(others)) {
      addProblem(
        this,
        `watches backups of regime '${id}' as '${this.regime.id}', and would not tell of copies out of it: make a watch for ` +
          'each regime',
      );
    }
    if (!SURVEY_MINUTES.includes(this.every.toMinutes({ integral: false }))) {
      addProblem(
        this,
        `surveyEvery is ${this.every.toMinutes({ integral: false })} minutes, write one of ${SURVEY_MINUTES.join(', ')}`,
      );
    }
  }

  private events(topicKey?: aws_kms.IKeyRef): WatchedEvent[] {
    const { vaults, plans = [], snapshots = [] } = this.props;
    const { partition, account } = Stack.of(this);
    const keys =
      this.props.keys ??
      vaults.flatMap((vault) => (vault instanceof RegimeVault ? [vault.encryptionKey] : []));
    // Who disables the topic's key wants nobody to be told.
    const watchedKeys = [...keys, ...(topicKey ? [topicKey] : [])];
    const watched: Watched = {
      partition,
      account,
      vaultNames: vaults.map(({ vaultName }) => vaultName),
      vaultArns: vaults.map(({ backupVaultRef }) => backupVaultRef.backupVaultArn),
      planIds: plans.map(({ backupPlanRef }) => backupPlanRef.backupPlanId),
      planArns: plans.map(({ backupPlanRef }) => backupPlanRef.backupPlanArn),
      policyIds: snapshots.map(({ policyId }) => policyId),
      policyArns: snapshots.map(({ lifecyclePolicyRef }) => lifecyclePolicyRef.lifecyclePolicyArn),
      keyArns: watchedKeys.map(({ keyRef }) => keyRef.keyArn),
      keyIds: watchedKeys.map(({ keyRef }) => keyRef.keyId),
      expiringRoles: [...plans, ...snapshots].map(({ role }) => role.roleArn),
    };
    const least = this.props.lowestSeverity ?? WatchSeverity.WARNING;
    return [
      ...backupEvents(watched),
      ...snapshotEvents(watched.policyArns),
      ...deletionEvents(watched),
    ].filter(({ severity }) => atLeast(severity, least));
  }

  private addRule(event: WatchedEvent): void {
    const rule = rawRule(this, event.id, {
      description: `${event.severity}, ${this.regime.id}: ${event.description}`,
      pattern: event.pattern,
    });
    this.rules.set(event.id, { rule, event });
    this.addTarget(rule, new TopicTarget(this.topic, sentenceOf(this.regime.id, event)));
  }

  private addTarget(rule: Rule, target: IRuleTarget): void {
    const count = (this.targets.get(rule) ?? 0) + 1;
    this.targets.set(rule, count);
    if (count === MOST_TARGETS + 1) {
      addProblem(
        this,
        `tells more than ${MOST_TARGETS} targets of an event, which EventBridge refuses: subscribe the others to the topic`,
      );
    }
    rule.addTarget(target);
  }

  private makeResidency(): ResidencyWatch | undefined {
    const { regime, exceptions } = this.props;
    if (Token.isUnresolved(Stack.of(this).region)) {
      addWarning(
        this,
        'residency-not-watched',
        'copies out of the regime are not watched, since the stack has no region: write new Stack(app, id, { env: { account, region } })',
      );
      return undefined;
    }
    return new ResidencyWatch(this, 'Residency', { regime, exceptions, topic: this.topic });
  }

  /** The one thing that AWS Backup tells by its own notifications only. */
  private tellOfInterruptions(): void {
    const { vaults, plans = [] } = this.props;
    if (!plans.some(({ _declared }) => _declared.rules.some(({ props }) => props.continuous))) return;
    for (const vault of vaults) {
      const resource = vault instanceof RegimeVault ? vault.vault.node.defaultChild : undefined;
      if (CfnBackupVault.isCfnBackupVault(resource) && Stack.of(resource) === Stack.of(this)) {
        resource.notifications ??= {
          backupVaultEvents: ['CONTINUOUS_BACKUP_INTERRUPTED', 'S3_BACKUP_OBJECT_FAILED'],
          snsTopicArn: this.topic.topicArn,
        };
      } else {
        addWarning(
          this,
          'interruptions-not-watched',
          `the vault ${vault.vaultName} is not made in this stack: have it notify the topic of CONTINUOUS_BACKUP_INTERRUPTED`,
        );
      }
    }
  }

  private sum(name: string, label: string, type?: string, period?: Duration): MathExpression {
    return sumOfVaults(this.props.vaults, name, label, type, period);
  }

  private ruleMetrics(ids: string[]): Metric[] {
    return ids.flatMap((id) => {
      const found = this.rules.get(id);
      return found ? [ruleMetric(found.rule)] : [];
    });
  }

  private addAlarm(spec: AlarmSpec): void {
    const alarm = makeAlarm(this, spec, this.regime.id, this.runbookUrl);
    const action = new TopicAction(this.topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    this.remember(spec.severity, alarm);
  }

  private remember(severity: WatchSeverity, alarm: IAlarm): void {
    // The same lists all the time: the dashboard and the rules for alarms read them at the end.
    this.alarms.push(alarm);
    const list = this.bySeverity.get(severity) ?? [];
    this.bySeverity.set(severity, list);
    list.push(alarm);
  }

  /** Rules of events, and of alarms that go off, which come to be when somebody wants to be told. */
  private matching(least: WatchSeverity): { readonly rule: Rule; readonly event: WatchedEvent }[] {
    const found = [...this.rules.values()].filter(({ event }) => atLeast(event.severity, least));
    for (const [severity, alarms] of this.bySeverity) {
      if (!atLeast(severity, least)) continue;
      const event: WatchedEvent = {
        id: `Alarms-${severity}`,
        severity,
        description: 'An alarm goes off',
        pattern: {
          source: ['aws.cloudwatch'],
          'detail-type': ['CloudWatch Alarm State Change'],
          resources: Lazy.list({ produce: () => alarms.map(({ alarmArn }) => alarmArn) }),
          detail: { state: { value: ['ALARM'] } },
        },
        sentence: 'Alarm {detail.alarmName}: {detail.configuration.description} {detail.state.reason}',
      };
      const rule =
        this.alarmRules.get(severity) ??
        rawRule(this, event.id, {
          description: `${severity}, ${this.regime.id}: ${event.description}`,
          pattern: event.pattern,
        });
      this.alarmRules.set(severity, rule);
      found.push({ rule, event });
    }
    return found;
  }
}

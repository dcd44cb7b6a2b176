import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack, Stage } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { objectiveProblems } from '../objective/assessment';
import { longestGapMinutes } from '../objective/cron';
import type { Layer } from '../objective/worst-case';
import type { RecoveryObjective } from '../plan';
import { objectiveOf } from '../plan/objective-of';
import { addProblem } from '../problems';
import { recordLayer } from '../record-layer';
import { Cargo, PrivacyRegime } from '../regime';
import { homeRegionProblem, moveProblem } from '../regime/move-check';
import { isUnresolved, regionProblem } from '../regime/region-check';
import { type FunctionOptions, zipFunction } from '../shipped-functions';
import { regionKey } from '../vault/vault-key';
import { letPublish } from '../watch/topic-target';
import { ARCHIVES, archiveBucket, RUNS } from './archive-bucket';
import { DatabaseEngine, type DatabaseServer } from './database-server';
import type { ExternalStore } from './external-store';
import { runsFailed, scheduledRun } from './scheduled-run';
import { sharedTenancy } from './shared-tenancy';
import { tenantAlarms } from './tenant-alarms';
import type { TenantBackupsProps } from './tenant-backups-props';
import { tenantKeyMaker } from './tenant-key-maker';
import { TenantKeys } from './tenant-keys';
import { tenantLayer } from './tenant-layer';
import { type TenantList, taskMachine, tenantMachine } from './tenant-machine';
import { explainToNag } from './tenant-nag';
import { tenantPruning } from './tenant-pruning';
import type { ListedTenant } from './tenant-source';
import type { LargeTenantSteps } from './tenant-steps';
import { largeFrom, letLogIn, may, tenantWorkers } from './tenant-worker';

/**
 * Dumps of single tenants' databases, from each of which one tenant can be restored alone.
 *
 * On schedule, the tenants are found, dumped at the same time by a worker that can reach one tenant's archives only, and
 * counted: a run fails, and an alarm rings, when any tenant is without a backup, and another when no run succeeds.
 */
export class TenantBackups extends Construct implements ec2.IConnectable {
  /** The regime that the archives are under. */
  public readonly regime: PrivacyRegime;

  /** Holds the archives. */
  public readonly bucket: s3.Bucket;

  /** Encrypts the archives. */
  public readonly encryptionKey: kms.IKey;

  /** Dumps, verifies, restores and undoes one tenant. */
  public readonly worker: lambda.IFunction;

  /**
   * Does what the worker does for tenants that take longer than a function may: an execution whose input is the worker's
   * event runs a task and ends with it. Undefined without `largeTenants`.
   */
  public readonly largeTenantWorker?: sfn.IStateMachine;

  /** What the worker becomes for one tenant. */
  public readonly tenantRole: iam.IRole;

  /** One run over all tenants. */
  public readonly stateMachine: sfn.IStateMachine;

  /** Deletes, once a day, the archives that no rule keeps. */
  public readonly pruning: lambda.IFunction;

  /**
   * What drills have in common with the dumps.
   *
   * @internal
   */
  public readonly _drill: {
    readonly tenants: lambda.IFunction | TenantList;
    readonly worker: lambda.IFunction;
    readonly large?: LargeTenantSteps;
  };

  /** Where alarms go. */
  public readonly alarmTopic: sns.ITopic;

  /** Rings when a run fails: some tenant is without a backup. */
  public readonly failedAlarm: cloudwatch.Alarm;

  /** Rings when no run has succeeded for longer than the schedule allows: a dead man's switch. */
  public readonly missingAlarm: cloudwatch.Alarm;

  /** Security groups of the worker; empty outside a VPC. */
  public readonly connections: ec2.Connections;

  private readonly layer?: Layer;

  constructor(scope: Construct, id: string, props: TenantBackupsProps) {
    super(scope, id);
    this.regime = this.checkedRegime(props);
    const { server } = props.source;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const retention = props.retention ?? Duration.days(7);
    const maxDuration = props.maxDuration ?? Duration.hours(6);
    const schedule = props.schedule ?? 'cron(0 2 * * ? *)';
    const gap = this.checkedGap(schedule);
    this.checkRetention(retention, props.immutableFor ?? Duration.days(7));

    const keys = props.keys ?? TenantKeys.sharedKey();
    this.encryptionKey =
      props.encryptionKey ??
      keys.key ??
      regionKey(this, 'Key', { description: `Tenant archives of ${this.regime.id}`, removalPolicy });
    this.bucket = archiveBucket(this, 'Archives', {
      immutableFor: props.immutableFor ?? Duration.days(7),
      removalPolicy,
      accessLogs: props.accessLogs,
    });

    const securityGroup =
      props.vpc &&
      new ec2.SecurityGroup(this, 'SecurityGroup', {
        vpc: props.vpc,
        description: 'Worker of the tenant backups',
      });
    this.connections = new ec2.Connections({ securityGroups: securityGroup ? [securityGroup] : [] });
    for (const { connections, port } of serversOf(props)) {
      if (securityGroup)
        connections?.connections.allowFrom(securityGroup, ec2.Port.tcp(port), 'Tenant backups');
    }
    const network = {
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: securityGroup && [securityGroup],
    };
    const shared = sharedTenancy(this, props.source);
    const environment: { [name: string]: string } = {
      ...shared.environment,
      SOVEREIGN_REGIME: this.regime.id,
      SOVEREIGN_BUCKET: this.bucket.bucketName,
      SOVEREIGN_PREFIX: ARCHIVES,
      SOVEREIGN_KEY_ARN: this.encryptionKey.keyArn,
      SOVEREIGN_SERVER: server.url,
      ...(server.secret ? { SOVEREIGN_SECRET_ARN: server.secret.secretArn } : {}),
      ...(server.iamResourceId ? { SOVEREIGN_DB_AUTH: 'iam' } : {}),
    };
    const externalStores = this.checkedStores(props.externalStores ?? []);

    const { worker, task, tenantRole } = tenantWorkers(this, {
      props,
      bucket: this.bucket,
      keys,
      sharedKey: this.encryptionKey,
      regime: this.regime.id,
      retention,
      externalStores,
      shared,
      environment,
      network,
    });
    this.worker = worker;
    this.tenantRole = tenantRole;
    const large = task && {
      task,
      thresholdBytes: largeFrom(props).toBytes(),
      severalStores: externalStores.length > 0,
    };
    this.largeTenantWorker = task && taskMachine(this, 'LargeTenantWorker', task);

    const tenants = this.findTenants(props, environment, network);
    if ('grantInvoke' in tenants) shared.grantRead(tenants);
    const report = zipFunction(this, 'Report', 'report', {
      description: 'Compares the tenants that were to be dumped with those that were',
      environment: { SOVEREIGN_REGIME: this.regime.id },
      memorySize: 512,
      timeout: Duration.minutes(5),
    });
    may(report, 's3:GetObject', this.bucket.arnForObjects(`${RUNS}*`));
    task?.tellReason(report);
    if ('count' in tenants) may(report, 's3:GetObject', tenants.bucket.arnForObjects(tenants.key));

    this.stateMachine = tenantMachine(this, 'Run', {
      bucket: this.bucket,
      tenants,
      worker,
      action: 'dump',
      large,
      keyMaker: keys.isPerTenant ? tenantKeyMaker(this, 'KeyMaker', this.regime.id) : undefined,
      report,
      maxConcurrency: this.checkedConcurrency(props),
      timeout: maxDuration,
    });
    scheduledRun(this, {
      machine: this.stateMachine,
      what: `Tenant backups of ${this.regime.id}`,
      schedule,
      timeZone: props.timeZone,
    });
    this._drill = { tenants, worker, large };
    this.pruning = tenantPruning(this, 'Prune', {
      bucket: this.bucket,
      regime: this.regime.id,
      retention,
      generations: props.generations,
    });

    this.alarmTopic = props.alarmTopic ?? this.makeTopic();
    const waited = Duration.minutes(gap + maxDuration.toMinutes());
    const alarms = tenantAlarms(this, {
      regime: this.regime.id,
      topic: this.alarmTopic,
      failed: this.metricFailed(),
      succeeded: this.metricSucceeded(),
      waited,
    });
    this.failedAlarm = alarms.failed;
    this.missingAlarm = alarms.missing;
    explainToNag(this, props.accessLogs !== undefined);
    this.layer = tenantLayer({
      gapMinutes: gap,
      runMinutes: maxDuration.toMinutes(),
      retentionDays: retention.toDays(),
      generations: props.generations,
      bucket: {
        name: this.bucket.bucketName,
        region: Stack.of(this).region,
        account: Stack.of(this).account,
      },
      externalStores,
    });
    recordLayer(this, `tenants of ${this.node.path}`, this.layer);
  }

  /** Runs that did not succeed: some tenant is without a backup, or the run was stopped or took too long. */
  public metricFailed(options: cloudwatch.MetricOptions = {}): cloudwatch.IMetric {
    return runsFailed(this.stateMachine, 'runs failed', options);
  }

  /** Runs in which every tenant was backed up, each hour. */
  public metricSucceeded(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return this.stateMachine.metricSucceeded({ statistic: 'Sum', period: Duration.hours(1), ...options });
  }

  /**
   * Lets somebody dump, verify, restore and undo single tenants by invoking the worker, or by an execution of
   * `largeTenantWorker`. Restoring overwrites nothing: what was live stays beside it.
   *
   * @param grantee who
   */
  public grantOperate(grantee: iam.IGrantable): iam.Grant {
    const grant = this.worker.grantInvoke(grantee);
    const { largeTenantWorker: large } = this;
    if (!large) return grant;
    return grant.combine(large.grantStartExecution(grantee)).combine(large.grantRead(grantee));
  }

  /**
   * Fails synthesis when the dumps alone cannot keep the objective, with the arithmetic.
   *
   * @param objective what was promised
   */
  public requireObjective(objective: RecoveryObjective): void {
    const problems = objectiveProblems('tenants', this.layer ? [this.layer] : [], objectiveOf(objective));
    for (const problem of problems) addProblem(this, problem);
  }

  private checkedRegime(props: TenantBackupsProps): PrivacyRegime {
    const { region } = Stack.of(this);
    const unclear = regionProblem(region);
    const regime = props.regime ?? (unclear ? PrivacyRegime.EU : PrivacyRegime.forRegion(region));
    const home = homeRegionProblem(region, regime);
    if (home) addProblem(this, `tenant archives of '${regime.id}': ${home}`);
    for (const { region: from } of serversOf(props)) {
      if (home || !from || from === region) continue;
      const problem = moveProblem({ what: Cargo.BACKUP, from, to: region, regime, now: new Date() });
      if (problem) addProblem(this, `dumps the server of another region: ${problem}`);
    }
    const keyRegion = props.encryptionKey?.env.region;
    // One that is known only at deployment is refused there, when it is of another region.
    if (keyRegion && !isUnresolved(keyRegion) && keyRegion !== region) {
      addProblem(
        this,
        `encryptionKey is in ${keyRegion} and the archives in ${region}: give a key of this region`,
      );
    }
    return regime;
  }

  private checkedStores(stores: ExternalStore[]): ExternalStore[] {
    for (const store of stores) {
      const problem = store.residencyProblem(this.regime);
      if (problem) addProblem(this, problem);
    }
    return stores;
  }

  private checkedGap(schedule: string): number {
    try {
      return longestGapMinutes(schedule);
    } catch (error) {
      addProblem(this, `its schedule cannot be read: ${(error as Error).message}`);
      return 1440;
    }
  }

  private checkedConcurrency({ source: { server }, maxConcurrency }: TenantBackupsProps): number {
    const { engine, staging } = server;
    if (engine === DatabaseEngine.SQL_SERVER && !staging)
      addProblem(
        this,
        'SQL Server writes its backups to a bucket itself, and none is given: make a SqlServerStaging, and give it as staging of the DatabaseServer',
      );
    const most = engine.maxConcurrency;
    if (most !== undefined && maxConcurrency !== undefined && maxConcurrency > most)
      addProblem(
        this,
        `maxConcurrency is ${maxConcurrency}, and RDS for SQL Server works on ${most} backups at a time: write ${most} or leave it out`,
      );
    return maxConcurrency ?? most ?? 10;
  }

  private checkRetention(retention: Duration, immutableFor: Duration): void {
    if (retention.toDays() < immutableFor.toDays()) {
      addProblem(
        this,
        `retention is ${retention.toDays()} days and immutableFor ${immutableFor.toDays()}: ` +
          'archives cannot expire before their lock does, keep them at least as long',
      );
    }
  }

  private findTenants(
    { source, largeTenants }: TenantBackupsProps,
    environment: { [name: string]: string },
    network: Partial<FunctionOptions>,
  ): lambda.IFunction | TenantList {
    const list = source.tenants && this.listTenants(source.tenants);
    // Who is large is told by the server.
    if (list && !largeTenants) return list;
    const discover = zipFunction(this, 'Discover', 'discover', {
      description: list ? 'Tells the size of each tenant' : 'Finds the tenants of the server',
      environment: {
        ...environment,
        ...(source.pattern === undefined ? {} : { SOVEREIGN_TENANT_PATTERN: source.pattern }),
        ...(list ? { SOVEREIGN_LIST_BUCKET: list.bucket.bucketName, SOVEREIGN_LIST_KEY: list.key } : {}),
        ...(largeTenants ? { SOVEREIGN_MEASURE_SIZES: 'true' } : {}),
      },
      memorySize: 512,
      timeout: Duration.minutes(largeTenants ? 15 : 5),
      ...network,
    });
    letLogIn(this, discover, source.server);
    may(discover, 's3:PutObject', this.bucket.arnForObjects(`${RUNS}*`));
    if (list) may(discover, 's3:GetObject', list.bucket.arnForObjects(list.key));
    return discover;
  }

  private listTenants(tenants: ListedTenant[]): TenantList {
    // Beside the templates, where nothing is left behind that was not asked for.
    const path = join(Stage.of(this)!.outdir, `tenants-${this.node.addr}.json`);
    const rows = tenants.map(({ tenant, database }) => ({ tenant, database: database ?? tenant }));
    writeFileSync(path, JSON.stringify(rows));
    const asset = new Asset(this, 'TenantList', { path });
    return { bucket: asset.bucket, key: asset.s3ObjectKey, count: rows.length };
  }

  private makeTopic(): sns.Topic {
    this.encryptionKey.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsReachTheTopic',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    const topic = new sns.Topic(this, 'Alarms', { masterKey: this.encryptionKey, enforceSSL: true });
    // What enforces SSL takes the place of the policy that SNS gives, by which alarms could publish.
    letPublish(topic, 'cloudwatch');
    return topic;
  }
}

/** Those that dumps are taken from. */
function serversOf({ source, dumps }: TenantBackupsProps): DatabaseServer[] {
  return [source.server, ...(dumps?.replica ? [dumps.replica] : [])];
}

import { Duration, Names, Stack, type TimeZone } from 'aws-cdk-lib';
import { CfnRestoreTestingPlan } from 'aws-cdk-lib/aws-backup';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Schedule } from 'aws-cdk-lib/aws-events';
import type { aws_backup, ResourceEnvironment } from 'aws-cdk-lib/interfaces';
import { Construct } from 'constructs';
import { addProblem, addWarning } from '../problems';
import { findRegion } from '../regime/lookup';
import { isUnresolved } from '../regime/region-check';
import { placeOfVault } from '../vault/vault-place';
import { isRegimeVault } from '../vault/vault-store';
import { MOST_SELECTIONS, planProblems } from './drill-check';
import { RestoreTestingSelection, type RestoreTestingSelectionOptions } from './restore-testing-selection';

/** Which of the recovery points in the selection window is restored. */
export enum RecoveryPointPick {
  /** The newest: how fresh a restore would be today. */
  LATEST = 'LATEST_WITHIN_WINDOW',
  /** Any: whether the older ones are still good. */
  RANDOM = 'RANDOM_WITHIN_WINDOW',
}

/** Kinds of recovery points. */
export enum RecoveryPointKind {
  /** Taken at one time. */
  SNAPSHOT = 'SNAPSHOT',
  /** Continuous, restored to a point in time. */
  CONTINUOUS = 'CONTINUOUS',
}

/** When is restored, and what from. */
export interface RestoreTestingPlanProps {
  /**
   * 1 to 50 letters, digits and underscores. Another name replaces the plan.
   *
   * @default - a name made of the construct's path
   */
  readonly planName?: string;

  /**
   * When restores start: a cron schedule. AWS Backup does not carry one over midnight: `0/12` hours from noon on runs
   * once a day.
   *
   * @default - every Sunday at 03:00
   */
  readonly schedule?: Schedule;

  /**
   * The time zone of the schedule.
   *
   * @default TimeZone.ETC_UTC
   */
  readonly timeZone?: TimeZone;

  /**
   * How late a restore may start before it is given up. 1 to 168 whole hours.
   *
   * @default Duration.hours(24)
   */
  readonly startWindow?: Duration;

  /**
   * How old recovery points may be, counted from the restore. 1 to 365 whole days.
   *
   * @default Duration.days(30)
   */
  readonly selectionWindow?: Duration;

  /**
   * Which recovery point of the window is restored.
   *
   * @default RecoveryPointPick.RANDOM
   */
  readonly pick?: RecoveryPointPick;

  /**
   * Kinds of recovery points to restore from.
   *
   * @default - both
   */
  readonly kinds?: RecoveryPointKind[];

  /**
   * Vaults to restore from, of the plan's own region. Copies that were never restored are no copies: put a plan into
   * each region that holds some.
   *
   * @default - all vaults of the region
   */
  readonly vaults?: aws_backup.IBackupVaultRef[];
}

/** Namespace of the metrics about drills. */
const NAMESPACE = 'SovereignBackup/Drills';

/**
 * Restores recovery points on a schedule, has them judged, and deletes what was restored: a backup that was not
 * restored is not a backup.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
 */
export class RestoreTestingPlan extends Construct implements aws_backup.IRestoreTestingPlanRef {
  public readonly restoreTestingPlanRef: aws_backup.RestoreTestingPlanReference;

  public readonly env: ResourceEnvironment;

  /** The name, known at synthesis. */
  public readonly planName: string;

  /** @internal What the watch has to know of the declaration. */
  public readonly _declared: { readonly schedule: string; readonly startWindow: Duration };

  private readonly selections: RestoreTestingSelection[] = [];

  constructor(scope: Construct, id: string, props: RestoreTestingPlanProps = {}) {
    super(scope, id);
    const { region, account } = Stack.of(this);
    this.env = { region, account };
    this.planName =
      props.planName ??
      Names.uniqueResourceName(this, { maxLength: 50, separator: '_', allowedSpecialCharacters: '_' });
    const schedule = (props.schedule ?? Schedule.expression('cron(0 3 ? * SUN *)')).expressionString;
    const startWindow = props.startWindow ?? Duration.hours(24);
    this._declared = { schedule, startWindow };
    const selectionWindow = props.selectionWindow ?? Duration.days(30);
    const problems = planProblems({
      name: this.planName,
      schedule,
      startWindow,
      selectionWindow,
      vaults: props.vaults?.length,
      kinds: props.kinds?.length,
    });
    for (const problem of problems) addProblem(this, problem);
    this.checkVaults(props.vaults);

    const plan = new CfnRestoreTestingPlan(this, 'Resource', {
      restoreTestingPlanName: this.planName,
      scheduleExpression: schedule,
      scheduleExpressionTimezone: props.timeZone?.timezoneName,
      startWindowHours: Math.round(startWindow.toHours({ integral: false })),
      recoveryPointSelection: {
        algorithm: props.pick ?? RecoveryPointPick.RANDOM,
        includeVaults: props.vaults?.map((vault) => vault.backupVaultRef.backupVaultArn) ?? ['*'],
        recoveryPointTypes: props.kinds ?? [RecoveryPointKind.SNAPSHOT, RecoveryPointKind.CONTINUOUS],
        selectionWindowDays: Math.round(selectionWindow.toDays({ integral: false })),
      },
    });
    this.restoreTestingPlanRef = {
      // The attribute, so that whatever refers to the plan also waits for it.
      restoreTestingPlanName: plan.ref,
      restoreTestingPlanArn: plan.attrRestoreTestingPlanArn,
    };
    if (['aws-cn', 'aws-us-gov'].includes(findRegion(region)?.partition ?? '')) {
      addWarning(
        this,
        'drill-not-in-partition',
        `CloudFormation's published resource types have no restore testing in ${region}: if the deployment fails, ` +
          'leave the plan out and rehearse restores by hand',
      );
    }
    this.node.addValidation({ validate: () => this.ambiguities() });
    this.node.addValidation({
      validate: () =>
        this.selections.length > 0
          ? []
          : ['has no selection, so nothing is ever restored: addSelection(...)'],
    });
  }

  /** Has resources of one type restored in every run, and judged. */
  public addSelection(id: string, options: RestoreTestingSelectionOptions): RestoreTestingSelection {
    const selection = new RestoreTestingSelection(this, id, { ...options, plan: this });
    this.selections.push(selection);
    if (this.selections.length === MOST_SELECTIONS + 1) {
      addProblem(
        this,
        `has more than ${MOST_SELECTIONS} selections, which AWS Backup refuses: make another plan`,
      );
    }
    return selection;
  }

  /** @internal The selections that were added so far. */
  public _selections(): readonly RestoreTestingSelection[] {
    return this.selections;
  }

  /** Restored resources that were judged good. */
  public metricPassed(options?: MetricOptions): Metric {
    return this.metric('Passed', options);
  }

  /** Restored resources that were judged bad, or could not be judged. */
  public metricFailed(options?: MetricOptions): Metric {
    return this.metric('Failed', options);
  }

  private metric(metricName: string, options: MetricOptions = {}): Metric {
    return new Metric({
      namespace: NAMESPACE,
      metricName,
      dimensionsMap: { plan: this.planName },
      statistic: 'Sum',
      ...options,
    }).attachTo(this);
  }

  private checkVaults(vaults: aws_backup.IBackupVaultRef[] | undefined): void {
    for (const [index, vault] of (vaults ?? []).entries()) {
      const place = placeOfVault(vault);
      for (const what of ['region', 'account'] as const) {
        const [theirs, ours] = [place[what], this.env[what]];
        if (isUnresolved(theirs) || isUnresolved(ours) || theirs === ours) continue;
        // An air-gapped vault may be shared with other accounts for it.
        if (what === 'account' && isRegimeVault(vault) && vault.airGapped) continue;
        addProblem(
          this,
          `vaults[${index}] is in ${what} ${theirs} and the plan in ${ours}: AWS Backup restores where the recovery points are, put a ` +
            `plan for it into a stack of its ${what}`,
        );
      }
    }
  }

  /** A job names its plan, type and source, not its selection: two that could have made it would both judge it. */
  private ambiguities(): string[] {
    const judged = this.selections.filter((selection) => selection.validationFunction);
    const types = new Set(judged.filter(({ _takes }) => _takes.all).map(({ _takes }) => _takes.type));
    return [...types]
      .filter((type) => judged.filter(({ _takes }) => _takes.type === type).length > 1)
      .map(
        (type) =>
          `has several judged selections of ${type}, one of them without resources: which of them restored a resource ` +
          'cannot be told. Name the resources in each, or make a plan for each',
      );
  }
}

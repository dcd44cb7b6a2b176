import { Duration, Lazy, Names, Stack } from 'aws-cdk-lib';
import { CfnFramework, CfnReportPlan } from 'aws-cdk-lib/aws-backup';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { addProblem, addWarning } from '../problems';
import type { PrivacyRegime } from '../regime';
import { findRegion } from '../regime/lookup';
import { isUnresolved } from '../regime/region-check';
import { settled } from '../settled';
import { AuditReport, type BackupAuditProps, ReportFormat } from './backup-audit-props';
import { controlsOf } from './controls';
import { quotaProblems } from './quota-check';
import { reportBucket } from './report-bucket';

const MOST_EXEMPT_ROLES = 5;
const COMPLIANCE: readonly AuditReport[] = [AuditReport.CONTROLS, AuditReport.RESOURCES];

/**
 * Has AWS Backup Audit Manager check every day that backups are as they were declared, and report it into a bucket of
 * the regime.
 *
 * The controls and their parameters are those of the plans: frequency, retention, lock, copies to other regions and
 * accounts, age of the newest recovery point. AWS Config must record resources in the account and region, or nothing is
 * checked; that is switched on once, and not here.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/aws-backup-audit-manager.html
 */
export class BackupAudit extends Construct {
  /** The regime. */
  public readonly regime: PrivacyRegime;

  /** Where reports go. */
  public readonly bucket: IBucket;

  /** The name of the framework, known at synthesis. */
  public readonly frameworkName: string;

  /** ARN of the framework. */
  public readonly frameworkArn: string;

  constructor(scope: Construct, id: string, props: BackupAuditProps) {
    super(scope, id);
    const { region, account } = Stack.of(this);
    const { regime, plans, exemptRoles = [] } = props;
    const restoreWithin =
      props.restoreWithin && settled(this, 'restoreWithin', props.restoreWithin, Duration.hours(1));
    this.regime = regime;
    this.frameworkName =
      props.frameworkName ??
      Names.uniqueResourceName(this, { maxLength: 200, separator: '_', allowedSpecialCharacters: '_' });
    this.check({ ...props, restoreWithin });
    const framework = new CfnFramework(this, 'Resource', {
      frameworkName: this.frameworkName,
      frameworkDescription: `What was declared about the backups of ${regime.id}`,
      // At the end: plans may still select more.
      frameworkControls: Lazy.any({
        produce: () =>
          controlsOf({
            plans,
            region,
            account,
            restoreMinutes: restoreWithin && Math.ceil(restoreWithin.toMinutes({ integral: false })),
            exemptRoleArns: exemptRoles.map(({ roleArn }) => roleArn),
          }),
      }),
    });
    this.frameworkArn = framework.attrFrameworkArn;
    this.node.addValidation({ validate: () => quotaProblems(framework, props.quotas ?? {}) });
    this.bucket = props.bucket ?? reportBucket(this, 'Reports', props);
    for (const report of new Set(props.reports ?? Object.values(AuditReport))) {
      this.addReport(report, props.formats ?? [ReportFormat.CSV, ReportFormat.JSON]);
    }
  }

  private addReport(report: AuditReport, formats: ReportFormat[]): void {
    const plan = new CfnReportPlan(this, report.replace(/_REPORT$/, ''), {
      reportPlanName: `${this.frameworkName}_${report}`,
      reportPlanDescription: `Backups of ${this.regime.id}: ${report.toLowerCase().replace(/_/g, ' ')}`,
      // Both are free-form JSON to CDK, and written as CloudFormation has them.
      reportDeliveryChannel: {
        S3BucketName: this.bucket.bucketName,
        S3KeyPrefix: this.regime.id,
        Formats: [...new Set(formats)],
      },
      reportSetting: {
        ReportTemplate: report,
        ...(COMPLIANCE.includes(report) ? { FrameworkArns: [this.frameworkArn] } : {}),
      },
    });
    // The first report must find the bucket open.
    if (this.bucket.policy) plan.node.addDependency(this.bucket.policy);
  }

  private check(props: BackupAuditProps): void {
    const { plans, regime, exemptRoles = [], restoreWithin, reports, formats } = props;
    const here = Stack.of(this).region;
    if (plans.length === 0) addProblem(this, 'has no plans: name those whose declaration is audited');
    for (const plan of plans) {
      if (plan.env.region !== here) {
        addProblem(
          this,
          `audits ${plan.node.path} of ${plan.env.region} from ${here}: a framework sees its own region, put an audit there`,
        );
      }
      if (plan.regime.id !== regime.id) {
        addProblem(
          this,
          `audits ${plan.node.path} of regime '${plan.regime.id}' as '${regime.id}': make an audit for each regime`,
        );
      }
    }
    if (!/^[A-Za-z][A-Za-z0-9_]{0,255}$/.test(this.frameworkName)) {
      addProblem(
        this,
        `frameworkName is '${props.frameworkName}': use a letter and up to 255 letters, digits and underscores`,
      );
    }
    if (exemptRoles.length > MOST_EXEMPT_ROLES) {
      addProblem(
        this,
        `exemptRoles names ${exemptRoles.length} roles, AWS Backup takes ${MOST_EXEMPT_ROLES}: let fewer delete recovery points`,
      );
    }
    const minutes = restoreWithin?.toMinutes({ integral: false });
    if (minutes !== undefined && !(Number.isInteger(minutes) && minutes > 0)) {
      addProblem(this, `restoreWithin is ${minutes} minutes, write a whole number of at least 1`);
    }
    const away = props.bucket?.env.region;
    if (away !== undefined && away !== here && !isUnresolved(away) && !isUnresolved(here)) {
      addProblem(
        this,
        `its bucket is in ${away} and the audit in ${here}: reports are written in their own region, give a bucket of it`,
      );
    }
    if (reports?.length === 0 || formats?.length === 0) {
      addProblem(this, 'reports nothing: name at least one report and format, or leave both out for all');
    }
    if (findRegion(here)?.partition === 'aws-cn') {
      addWarning(
        this,
        'audit-not-in-partition',
        `CloudFormation has no audits in ${here}: if the deployment fails, leave the audit out`,
      );
    }
  }
}

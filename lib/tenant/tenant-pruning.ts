import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Schedule, ScheduleExpression, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { Construct } from 'constructs';
import { zipFunction } from '../shipped-functions';
import { ARCHIVES } from './archive-bucket';
import type { ArchiveGenerations } from './tenant-backups-props';

export interface PruningOptions {
  readonly bucket: IBucket;
  readonly regime: string;
  readonly retention: Duration;
  readonly generations?: ArchiveGenerations;
}

/** As the functions read it. */
export function retentionPolicy(retention: Duration, generations: ArchiveGenerations = {}): string {
  return JSON.stringify({
    keepDays: retention.toDays(),
    keepDaily: generations.daily,
    keepWeekly: generations.weekly,
    keepMonthly: generations.monthly,
  });
}

/** Once a day, what no rule keeps is deleted: by a function that can delete archives and cannot decrypt them. */
export function tenantPruning(scope: Construct, id: string, options: PruningOptions): lambda.Function {
  const { bucket, regime, retention, generations } = options;
  const archives = bucket.arnForObjects(`${ARCHIVES}${regime}/*`);
  const prune = zipFunction(scope, id, 'prune', {
    description: 'Deletes the archives that no retention rule keeps',
    environment: {
      SOVEREIGN_REGIME: regime,
      SOVEREIGN_BUCKET: bucket.bucketName,
      SOVEREIGN_PREFIX: ARCHIVES,
      SOVEREIGN_RETENTION: retentionPolicy(retention, generations),
    },
    memorySize: 1024,
    timeout: Duration.minutes(15),
    statements: [
      new iam.PolicyStatement({
        sid: 'LookAndDelete',
        actions: ['s3:GetObject', 's3:GetObjectRetention', 's3:GetObjectLegalHold', 's3:DeleteObject'],
        resources: [archives],
      }),
      new iam.PolicyStatement({
        sid: 'ListArchives',
        actions: ['s3:ListBucket'],
        resources: [bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': [`${ARCHIVES}${regime}/*`] } },
      }),
    ],
  });
  daily(scope, `${id}Schedule`, prune, 'cron(30 6 * * ? *)');
  return prune;
}

/** Invokes a function by schedule, with a role that can do nothing else. */
export function daily(scope: Construct, id: string, target: lambda.IFunction, expression: string): Schedule {
  return new Schedule(scope, id, {
    schedule: ScheduleExpression.expression(expression),
    timeWindow: TimeWindow.off(),
    target: new LambdaInvoke(target, {
      role: new iam.Role(scope, `${id}Role`, {
        assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
        }),
      }),
      retryAttempts: 3,
      maxEventAge: Duration.hours(1),
    }),
  });
}

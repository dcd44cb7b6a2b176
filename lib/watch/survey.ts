import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../acknowledge';
import type { RestoreTestingPlan } from '../drill';
import { type RegimeBackupPlan, ResourceType } from '../plan';
import { zipFunction } from '../shipped-functions';
import type { InstanceSnapshots } from '../snapshot';
import { drillWithinMinutes, newestWithinMinutes, snapshotWithinMinutes } from './windows';

/** What is looked at; `lambda/survey/settings.ts` has the same shapes. */
export interface SurveySubject {
  readonly plans: readonly RegimeBackupPlan[];
  readonly snapshots: readonly InstanceSnapshots[];
  readonly drills: readonly RestoreTestingPlan[];
  readonly copiesWithin: Duration;
}

/** RDS and Aurora, the two that say to which second they could be restored, are five minutes behind when all is well. */
const MOST_LAG_MINUTES = 15;

/** Which parts of the survey there are: alarms on others would have nothing to look at. */
export interface SurveyParts {
  readonly resources: boolean;
  readonly copies: boolean;
  readonly lag: boolean;
  readonly drills: boolean;
  readonly snapshots: boolean;
}

/** What the survey is asked, in the words of the function. */
export function surveySettings(stack: Stack, watch: string, subject: SurveySubject) {
  const plans = subject.plans.flatMap((plan) => {
    const maxAgeMinutes = newestWithinMinutes(plan);
    return maxAgeMinutes === undefined ? [] : [{ plan, maxAgeMinutes }];
  });
  const lateAfterMinutes = subject.copiesWithin.toMinutes();
  const destinations = new Map<string, number>();
  for (const { plan, maxAgeMinutes } of plans) {
    for (const { backupVaultRef } of plan._declared.copies) {
      const arn = backupVaultRef.backupVaultArn;
      const within = maxAgeMinutes + lateAfterMinutes;
      destinations.set(arn, Math.min(within, destinations.get(arn) ?? within));
    }
  }
  const drills = subject.drills.flatMap((plan) => {
    const withinMinutes = drillWithinMinutes(plan);
    const judged = plan._selections().some(({ validationFunction }) => validationFunction);
    const planArn = plan.restoreTestingPlanRef.restoreTestingPlanArn;
    return withinMinutes === undefined ? [] : [{ planArn, withinMinutes, judged }];
  });
  return {
    watch,
    protections: plans.flatMap(({ plan, maxAgeMinutes }) => protectionsOf(stack, plan, maxAgeMinutes)),
    jobs: plans.map(({ plan }) => ({
      vault: plan._declared.vault.vaultName,
      planId: plan.backupPlanRef.backupPlanId,
      minutesByRule: Object.fromEntries(
        plan._declared.rules.map((rule) => [
          rule.ruleName,
          rule.startWindowMinutes + rule.completionWindowMinutes,
        ]),
      ),
    })),
    ...(destinations.size > 0
      ? {
          copies: {
            lateAfterMinutes,
            destinations: [...destinations].map(([vaultArn, withinMinutes]) => ({ vaultArn, withinMinutes })),
          },
        }
      : {}),
    drills,
    snapshots: subject.snapshots.map((policy) => ({
      policyId: policy.policyId,
      tags: policy._declared.targetTags,
      maxAgeMinutes: snapshotWithinMinutes(policy),
      excludeBootVolume: policy._declared.excludeBootVolume ?? false,
    })),
  };
}

export type SurveySettings = ReturnType<typeof surveySettings>;

export function surveyParts(settings: SurveySettings): SurveyParts {
  return {
    resources: settings.protections.length > 0,
    copies: settings.copies !== undefined,
    lag: settings.protections.some(({ maxLagMinutes }) => maxLagMinutes !== undefined),
    drills: settings.drills.length > 0,
    snapshots: settings.snapshots.length > 0,
  };
}

function protectionsOf(stack: Stack, plan: RegimeBackupPlan, maxAgeMinutes: number) {
  const { vault, rules, selections } = plan._declared;
  const airGapped = rules.flatMap(({ props }) => props.airGappedVault?.vaultName ?? []);
  const continuous = rules.some(({ props }) => props.continuous);
  return selections.map(({ options, selection }) => {
    const named = selection.resources ?? ['*'];
    // An asterisk alone, and tags alone, select whatever AWS Backup supports.
    const resources = named.includes('*') ? ALL_TYPES.map((type) => type.arnIn(stack.partition)) : named;
    return {
      name: plan.node.path,
      vaults: [...new Set([vault.vaultName, ...airGapped])],
      tags: options.tags ?? {},
      anyTags: options.anyTags,
      conditions: options.conditions?.map(({ test, key, value }) => ({ test, key, value })),
      resources,
      exclude: selection.notResources ?? [],
      maxAgeMinutes,
      maxLagMinutes:
        continuous && resources.some((arn) => arn.includes(':rds:')) ? MOST_LAG_MINUTES : undefined,
    };
  });
}

const ALL_TYPES = Object.values(ResourceType).filter(
  (value): value is ResourceType => value instanceof ResourceType,
);

/** The function that looks, on schedule. */
export function survey(scope: Construct, settings: SurveySettings, every: Duration): lambda.Function {
  const handler = zipFunction(scope, 'Survey', 'survey', {
    description: 'Looks for resources without recent backups, jobs that hang and drills that are overdue',
    environment: {},
    memorySize: 512,
    timeout: Duration.minutes(5),
    statements: statements(Stack.of(scope), settings),
  });
  acknowledgeWildcards(
    handler.role!,
    'AWS knows no resources for lists of jobs and of tagged resources, nor for describing instances and snapshots',
  );
  new Rule(scope, 'SurveySchedule', {
    description: 'Has the backups surveyed',
    schedule: Schedule.rate(every),
    targets: [
      new LambdaFunction(handler, {
        event: RuleTargetInput.fromObject(settings),
        // A late survey is worth nothing: the next one is near.
        retryAttempts: 0,
        maxEventAge: Duration.minutes(5),
      }),
    ],
  });
  return handler;
}

function statements(stack: Stack, settings: SurveySettings): PolicyStatement[] {
  const { resources, copies, lag, drills, snapshots } = surveyParts(settings);
  const here = (service: string, rest: string) =>
    `arn:${stack.partition}:${service}:${stack.region}:${stack.account}:${rest}`;
  const vaults = [...new Set(settings.protections.flatMap((one) => one.vaults))].map((name) =>
    here('backup', `backup-vault:${name}`),
  );
  // Lists of jobs, resources and snapshots have no ARN of their own.
  const anywhere = [
    ...(settings.jobs.length > 0 ? ['backup:ListBackupJobs'] : []),
    ...(resources ? ['backup:ListRecoveryPointsByResource', 'tag:GetResources'] : []),
    ...(copies ? ['backup:ListCopyJobs'] : []),
    ...(drills ? ['backup:ListRestoreJobs'] : []),
    ...(resources || snapshots ? ['ec2:DescribeInstances'] : []),
    ...(snapshots ? ['ec2:DescribeSnapshots'] : []),
  ];
  return [
    ...(anywhere.length > 0
      ? [new PolicyStatement({ sid: 'Look', actions: anywhere, resources: ['*'] })]
      : []),
    ...(resources
      ? [
          new PolicyStatement({
            sid: 'LookIntoVaults',
            actions: ['backup:ListRecoveryPointsByBackupVault'],
            resources: vaults,
          }),
        ]
      : []),
    ...(lag
      ? [
          new PolicyStatement({
            sid: 'LookAtDatabases',
            actions: ['rds:DescribeDBInstances', 'rds:DescribeDBClusters'],
            resources: [here('rds', 'db:*'), here('rds', 'cluster:*')],
          }),
        ]
      : []),
  ];
}

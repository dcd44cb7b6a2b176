import { Duration, Lazy, Stack } from 'aws-cdk-lib';
import { type CfnRule, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../acknowledge';
import type { RestoreTestingPlan } from '../drill';
import { type DeclaredSelection, type RegimeBackupPlan, ResourceType } from '../plan';
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

/** Characters of the constant input of a target. */
const MOST_INPUT = 8192;

/** Which parts of the survey there are: alarms on others would have nothing to look at. */
export interface SurveyParts {
  readonly resources: boolean;
  readonly copies: boolean;
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

export function surveyParts({ plans, snapshots, drills }: SurveySubject): SurveyParts {
  return {
    resources: plans.length > 0,
    copies: plans.some(({ _declared }) => _declared.copies.length > 0),
    drills: drills.length > 0,
    snapshots: snapshots.length > 0,
  };
}

/** Whether a selection has databases that say how far their continuous backup is behind. */
export function tellsLag(plan: RegimeBackupPlan, { selection }: DeclaredSelection): boolean {
  const continuous = plan._declared.rules.some(({ props }) => props.continuous);
  const resources = selection.resources ?? ['*'];
  return continuous && resources.some((arn) => arn === '*' || arn.includes(':rds:'));
}

function protectionsOf(stack: Stack, plan: RegimeBackupPlan, maxAgeMinutes: number) {
  const { vault, rules, selections } = plan._declared;
  const airGapped = rules.flatMap(({ props }) => props.airGappedVault?.vaultName ?? []);
  return selections.map((declared) => {
    const { options, selection } = declared;
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
      maxLagMinutes: tellsLag(plan, declared) ? MOST_LAG_MINUTES : undefined,
    };
  });
}

const ALL_TYPES = Object.values(ResourceType).filter(
  (value): value is ResourceType => value instanceof ResourceType,
);

/** The function that looks, on schedule, also at what is selected after it was made. */
export function survey(
  scope: Construct,
  watch: string,
  subject: SurveySubject,
  every: Duration,
): lambda.Function {
  const stack = Stack.of(scope);
  const parts = surveyParts(subject);
  const handler = zipFunction(scope, 'Survey', 'survey', {
    description: 'Looks for resources without recent backups, jobs that hang and drills that are overdue',
    environment: {},
    memorySize: 512,
    timeout: Duration.minutes(5),
    statements: statements(stack, subject, parts),
  });
  const rule = new Rule(scope, 'SurveySchedule', {
    description: 'Has the backups surveyed',
    schedule: Schedule.rate(every),
    // A late survey is worth nothing: the next one is near.
    targets: [new LambdaFunction(handler, { retryAttempts: 0, maxEventAge: Duration.minutes(5) })],
  });
  // The target would write its input at once, and plans may still select more.
  const settings = Lazy.any({ produce: () => surveySettings(stack, watch, subject) });
  (rule.node.defaultChild as CfnRule).addPropertyOverride('Targets.0.Input', stack.toJsonString(settings));
  // A target takes no more; what a reference becomes is about as long as the reference.
  scope.node.addValidation({
    validate: () => {
      const { length } = JSON.stringify(stack.resolve(settings));
      return length > MOST_INPUT
        ? [
            `has to ask for ${length} characters of selections, EventBridge hands over ${MOST_INPUT}: select by tag instead of ` +
              'by ARN, or make a watch for each plan',
          ]
        : [];
    },
  });
  let databases = false;
  for (const plan of subject.plans) {
    plan._onSelection((selection) => {
      if (databases || !tellsLag(plan, selection)) return;
      databases = true;
      handler.addToRolePolicy(
        new PolicyStatement({
          sid: 'LookAtDatabases',
          actions: ['rds:DescribeDBInstances', 'rds:DescribeDBClusters'],
          resources: ['db:*', 'cluster:*'].map((rest) => arnHere(stack, 'rds', rest)),
        }),
      );
      acknowledgeWildcards(handler.role!, WILDCARDS);
    });
  }
  acknowledgeWildcards(handler.role!, WILDCARDS);
  return handler;
}

const WILDCARDS =
  'AWS knows no resources for lists of jobs and of tagged resources, nor for describing instances and snapshots; which ' +
  'databases are selected is decided by tag at run time';

const arnHere = (stack: Stack, service: string, rest: string) =>
  `arn:${stack.partition}:${service}:${stack.region}:${stack.account}:${rest}`;

function statements(stack: Stack, { plans }: SurveySubject, parts: SurveyParts): PolicyStatement[] {
  const { resources, copies, drills, snapshots } = parts;
  const vaults = plans.flatMap(({ _declared }) => [
    _declared.vault.vaultName,
    ..._declared.rules.flatMap(({ props }) => props.airGappedVault?.vaultName ?? []),
  ]);
  // Lists of jobs, resources and snapshots have no ARN of their own.
  const anywhere = [
    ...(resources
      ? ['backup:ListBackupJobs', 'backup:ListRecoveryPointsByResource', 'tag:GetResources']
      : []),
    ...(copies ? ['backup:ListCopyJobs'] : []),
    ...(drills ? ['backup:ListRestoreJobs'] : []),
    ...(resources || snapshots ? ['ec2:DescribeInstances'] : []),
    ...(snapshots ? ['ec2:DescribeSnapshots'] : []),
  ];
  return [
    new PolicyStatement({ sid: 'Look', actions: anywhere, resources: ['*'] }),
    ...(resources
      ? [
          new PolicyStatement({
            sid: 'LookIntoVaults',
            actions: ['backup:ListRecoveryPointsByBackupVault'],
            resources: [...new Set(vaults)].map((name) => arnHere(stack, 'backup', `backup-vault:${name}`)),
          }),
        ]
      : []),
  ];
}

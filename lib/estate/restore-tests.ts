import type { TimeZone } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import { type RecoveryPointPick, RestoreTestingPlan, RestoreValidator } from '../drill';
import { TESTABLE_TYPES } from '../drill/drill-check';
import { scheduleGap } from '../objective/rule-layer';
import type { Drill } from '../objective/worst-case';
import { ResourceType } from '../plan';
import type { IRegimeVault } from '../vault';

/** Which restores are tested in the home regions of an estate, and when. */
export interface EstateRestoreTests {
  /**
   * When: a cron schedule. One recovery point of each resource is restored in every run.
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
   * Types whose restores are tested.
   *
   * @default - those of the estate that AWS Backup can restore as a test
   */
  readonly types?: ResourceType[];

  /**
   * Further tags of the resources that take part: a few that stand for many cost less.
   *
   * @default - all protected resources of the types
   */
  readonly tags?: { [key: string]: string };

  /**
   * Which recovery point is restored.
   *
   * @default RecoveryPointPick.RANDOM
   */
  readonly pick?: RecoveryPointPick;

  /**
   * What is restored otherwise than AWS Backup infers, by the type's name: `{ EC2: { subnetId: 'subnet-...' } }`. Restore
   * into a network that reaches nothing live.
   *
   * @default - as inferred from the recovery point
   */
  readonly restoreMetadata?: { [type: string]: { [key: string]: string } };
}

interface Options extends EstateRestoreTests {
  readonly vault: IRegimeVault;
  readonly protectedTypes: ResourceType[];
  readonly protectedTags: { readonly [key: string]: string };
}

const WEEKLY = 'cron(0 3 ? * SUN *)';

/** The plan of one home region. */
export function estateRestoreTests(scope: Construct, id: string, options: Options): RestoreTestingPlan {
  const plan = new RestoreTestingPlan(scope, id, {
    vaults: [options.vault],
    schedule: options.schedule ?? Schedule.expression(WEEKLY),
    timeZone: options.timeZone,
    pick: options.pick,
  });
  for (const resourceType of testedTypes(options, options.protectedTypes)) {
    plan.addSelection(resourceType.name, {
      resourceType,
      tags: { ...options.protectedTags, ...options.tags },
      validators: validatorsOf(resourceType),
      restoreMetadata: options.restoreMetadata?.[resourceType.name],
    });
  }
  return plan;
}

/** Validators that need neither a network nor a login; others are for a plan of one's own. */
function validatorsOf(type: ResourceType): RestoreValidator[] | undefined {
  if (type === ResourceType.EC2) return [RestoreValidator.instanceBoots()];
  if (type === ResourceType.DYNAMODB) return [RestoreValidator.hasItems()];
  if (type === ResourceType.S3) return [RestoreValidator.objectsMatch({ compareWithSource: false })];
  return undefined;
}

export function testedTypes(tests: EstateRestoreTests, types: ResourceType[]): ResourceType[] {
  return (tests.types ?? types).filter(
    ({ name }) => tests.types !== undefined || TESTABLE_TYPES.includes(name),
  );
}

/** The tests as the objective arithmetic sees them; null where the schedule cannot be read. */
export function drillOf(tests: EstateRestoreTests, type: ResourceType): Drill | null {
  try {
    const schedule = tests.schedule?.expressionString ?? WEEKLY;
    return {
      name: 'the restore tests',
      everyMinutes: scheduleGap(schedule, tests.timeZone?.timezoneName),
      judged: validatorsOf(type) !== undefined,
    };
  } catch {
    return null;
  }
}

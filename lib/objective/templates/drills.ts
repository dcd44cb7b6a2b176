import { parseArn } from '../../residency/edge/arn';
import type { Resolver } from '../../residency/resolve/resolver';
import type { Stack } from '../../residency/resolve/stack';
import { isLiteral } from '../../residency/resolve/text';
import { scheduleGap } from '../rule-layer';
import type { Store } from '../store';
import type { Drill } from '../worst-case';
import { matchesGlob, type Target } from './selections';
import { branches, fieldsOf, knownText, listOf, numberOf, textOf, textsOf } from './values';
import type { Vaults } from './vaults';

const PLAN = 'AWS::Backup::RestoreTestingPlan';
const SELECTION = 'AWS::Backup::RestoreTestingSelection';

interface Tested {
  readonly stack: Stack;
  readonly drill: Drill;
  readonly type: string;
  readonly resources: readonly string[];
  readonly tags: ReadonlyMap<string, string>;
  /** Vaults that are restored from: `*`, names, ARNs or patterns of them. */
  readonly vaults: readonly string[];
}

/** Every restore that the templates have tested on a schedule. */
export class Drills {
  private readonly all: Tested[] = [];

  public constructor(
    private readonly resolver: Resolver,
    private readonly vaults: Vaults,
    stacks: readonly Stack[],
  ) {
    for (const stack of stacks) {
      for (const { properties } of stack.resources.ofTypes((type) => type === SELECTION)) {
        const read = (node: unknown) => branches(resolver, stack, node)[0];
        const plan = this.planOf(textOf(read(properties.RestoreTestingPlanName)), stack);
        const type = textOf(read(properties.ProtectedResourceType));
        if (plan === undefined || type === undefined) continue;
        const conditions = listOf(fieldsOf(read(properties.ProtectedResourceConditions)).StringEquals);
        this.all.push({
          stack,
          type,
          vaults: plan.vaults,
          drill: {
            name: plan.name,
            everyMinutes: plan.everyMinutes,
            judged: (numberOf(read(properties.ValidationWindowHours), '', []) ?? 0) > 0,
          },
          resources: textsOf(read(properties.ProtectedResourceArns)),
          tags: new Map(
            conditions.flatMap((each) => {
              const { Key: key, Value: value } = fieldsOf(each);
              return typeof key === 'string' && typeof value === 'string'
                ? [[key.replace(/^aws:ResourceTag\//, ''), value] as const]
                : [];
            }),
          ),
        });
      }
    }
  }

  /** The most frequent test of the target's recovery points, in any of its stores. */
  public of(target: Target, stores: readonly Store[]): Drill | null {
    let best: Drill | null = null;
    for (const tested of this.all) {
      if (tested.type !== target.type?.name || !this.takes(tested, target)) continue;
      if (!stores.some((store) => this.reaches(tested, store))) continue;
      if (best === null || tested.drill.everyMinutes < best.everyMinutes) best = tested.drill;
    }
    return best;
  }

  private takes({ resources, tags }: Tested, target: Target): boolean {
    if (resources.length > 0 && !resources.includes('*')) {
      return resources.some((arn) =>
        this.resolver.tokens
          .all(arn)
          .some(
            (token) =>
              token.kind === 'resource' &&
              token.stack === target.stack &&
              token.logicalId === target.logicalId,
          ),
      );
    }
    return [...tags].every(([key, value]) => target.tags.get(key) === value);
  }

  /** A plan restores from vaults of its own account and region. */
  private reaches({ stack, vaults }: Tested, store: Store): boolean {
    if (store.kind !== 'vault') return false;
    if (store.region !== knownText(stack.region) || store.account !== knownText(stack.account)) return false;
    return vaults.some((text) => {
      if (text === '*') return true;
      if (isLiteral(text) && text.includes('*')) {
        return matchesGlob(parseArn(text)?.resource.replace(/^backup-vault:/, '') ?? text, store.name ?? '');
      }
      return this.vaults.storeOf(text, stack).name === store.name;
    });
  }

  private planOf(name: string | undefined, stack: Stack) {
    if (name === undefined) return undefined;
    const token = this.resolver.tokens.lone(name);
    const read = (node: unknown) => branches(this.resolver, stack, node)[0];
    for (const resource of stack.resources.ofTypes((type) => type === PLAN)) {
      const { logicalId, properties } = resource;
      const planName = textOf(read(properties.RestoreTestingPlanName));
      const same =
        token?.kind === 'resource'
          ? token.stack === stack && token.logicalId === logicalId
          : planName === name;
      const schedule = textOf(read(properties.ScheduleExpression));
      if (!same || schedule === undefined || !isLiteral(schedule)) continue;
      try {
        const everyMinutes = scheduleGap(schedule, textOf(read(properties.ScheduleExpressionTimezone)));
        const vaults = textsOf(fieldsOf(read(properties.RecoveryPointSelection)).IncludeVaults);
        return {
          name: planName !== undefined && isLiteral(planName) ? planName : logicalId,
          everyMinutes,
          vaults,
        };
      } catch {
        // A schedule that AWS would refuse tests nothing.
      }
    }
    return undefined;
  }
}

/** From the templates' plans, policies and resources to rows: what is protected, by which layers. */
import type { Resolver } from '../../residency/resolve/resolver';
import type { Resource, Stack } from '../../residency/resolve/stack';
import { isLiteral } from '../../residency/resolve/text';
import { type PlainRule, ruleLayer } from '../rule-layer';
import { type TypeRecord, typeNamed, typeOfArn, typeOfResource } from '../type-table';
import { type Layer, worstCaseLoss } from '../worst-case';
import { type LifecyclePolicy, lifecycleVariants } from './lifecycles';
import { ownBackupsOf } from './own-backups';
import { planVariants } from './plans';
import { recordedDrills, recordedLayers } from './recorded';
import type { Row } from './row';
import {
  conditionText,
  requiredTags,
  type Selection,
  selectionVariants,
  type Target,
  takes,
} from './selections';
import { branches, tagsOf } from './values';
import type { Vaults } from './vaults';

interface Place {
  readonly region: string;
  readonly account: string;
}

interface Plan {
  readonly stack: Stack;
  readonly rules: readonly PlainRule[];
  readonly unclear: readonly string[];
  readonly selection: Selection;
}

interface Lifecycle extends LifecyclePolicy {
  readonly stack: Stack;
  readonly logicalId: string;
}

/** Buckets are mostly logs, assets and exports, and clusters mostly configuration: shown where something selects them. */
const SHOWN_WHEN_SELECTED = new Set(['S3', 'EKS']);
/** Their own snapshots are worth telling, their absence is not: a cache is not where data lives. */
const CACHES = /^AWS::(ElastiCache|MemoryDB)::/;

export class Rows {
  private readonly plans: Plan[] = [];
  private readonly lifecycles: Lifecycle[] = [];

  public constructor(
    private readonly resolver: Resolver,
    private readonly stacks: readonly Stack[],
    vaults: Vaults,
  ) {
    for (const stack of stacks) {
      for (const resource of stack.resources.ofTypes((type) => type === 'AWS::Backup::BackupSelection')) {
        const variants = selectionVariants(resolver, stack, resource);
        const open = openBy(resource, variants.length);
        for (const selection of variants) this.addPlan(selection, open, vaults);
      }
      for (const resource of stack.resources.ofTypes((type) => type === 'AWS::DLM::LifecyclePolicy')) {
        const variants = lifecycleVariants(resolver, stack, resource);
        const open = openBy(resource, variants.length);
        for (const policy of variants) {
          const unclear = [...policy.unclear, ...open];
          this.lifecycles.push({ ...policy, unclear, stack, logicalId: resource.logicalId });
        }
      }
    }
  }

  public all(): readonly Row[] {
    const drills = recordedDrills(this.resolver, this.stacks);
    return this.stacks.flatMap((stack) => [
      ...this.bySelection(stack),
      ...this.byLifecycle(stack),
      ...recordedLayers(this.resolver, stack, drills),
      ...this.byResource(stack),
    ]);
  }

  private addPlan(selection: Selection, open: readonly string[], vaults: Vaults): void {
    const { plan, stack } = selection;
    const resource = plan?.stack.resources.get(plan.logicalId);
    if (resource === undefined) {
      this.plans.push({ stack, rules: [], unclear: ['the plan of the selection'], selection });
      return;
    }
    const variants = planVariants(this.resolver, plan!.stack, resource, vaults);
    // Of several outcomes the worst one counts.
    const worst = [...variants].sort((a, b) => leastLoss(b.rules) - leastLoss(a.rules))[0];
    if (worst === undefined) return;
    const unclear = [...worst.unclear, ...open, ...openBy(resource, variants.length)];
    this.plans.push({ rules: worst.rules, unclear, stack, selection });
  }

  /** What selections take by type and tag, wherever it is declared. */
  private bySelection(stack: Stack): Row[] {
    const rows = new Map<string, Row>();
    for (const { selection } of this.plans.filter((plan) => plan.stack === stack)) {
      const text = conditionText(selection);
      for (const type of typesOf(selection, this.resolver)) {
        const subject = `${typeof type === 'string' ? type : (type?.name ?? 'everything')}${text && ` tagged ${text}`}`;
        if (rows.has(subject)) continue;
        const record = typeof type === 'string' ? (typeOfArn(type) ?? null) : type;
        const worst = requiredTags(selection).map((tags) =>
          this.rowOf(
            { stack, logicalId: null, type: record, tags },
            subject,
            selection.logicalId,
            null,
            selection,
          ),
        );
        rows.set(subject, worst.sort((a, b) => a.layers.length - b.layers.length)[0]!);
      }
    }
    return [...rows.values()];
  }

  /** Instances and volumes that snapshots alone protect. */
  private byLifecycle(stack: Stack): Row[] {
    const rows = new Map<string, Row>();
    const known = new Set(this.bySelection(stack).map(({ subject }) => subject));
    for (const policy of this.lifecycles.filter((each) => each.stack === stack)) {
      for (const name of policy.types) {
        for (const [key, value] of policy.tags) {
          const subject = `${name} tagged ${key}=${value}`;
          if (known.has(subject) || rows.has(subject)) continue;
          const target = {
            stack,
            logicalId: null,
            type: typeNamed(name) ?? null,
            tags: new Map([[key, value]]),
          };
          rows.set(subject, this.rowOf(target, subject, policy.logicalId, null));
        }
      }
    }
    return [...rows.values()];
  }

  private byResource(stack: Stack): Row[] {
    const rows: Row[] = [];
    const data = (type: string) => typeOfResource(type) !== undefined || CACHES.test(type);
    for (const resource of stack.resources.ofTypes(data)) {
      if (isPartOfAnother(resource)) continue;
      const type = typeOfResource(resource.type) ?? null;
      const target = { stack, logicalId: resource.logicalId, type, tags: this.tagsOf(stack, resource) };
      const row = this.rowOf(
        target,
        resource.constructPath ?? resource.logicalId,
        resource.logicalId,
        resource,
      );
      const quiet = type === null || SHOWN_WHEN_SELECTED.has(type.name);
      if (row.layers.length > 0 || row.undetermined.length > 0 || !quiet) rows.push(row);
    }
    return rows;
  }

  private rowOf(
    target: Target,
    subject: string,
    logicalId: string,
    resource: Resource | null,
    own?: Selection,
  ): Row {
    const layers: Layer[] = [];
    const undetermined: string[] = [];
    for (const { stack, rules, unclear, selection } of this.plans) {
      if (!samePlace(stack, target.stack)) continue;
      if (selection !== own && !takes(selection, target, this.resolver)) continue;
      undetermined.push(...unclear);
      for (const rule of rules) {
        try {
          layers.push(ruleLayer(rule, target.type ?? undefined));
        } catch (error) {
          undetermined.push(`the schedule of rule ${rule.name} (${(error as Error).message})`);
        }
      }
    }
    for (const policy of this.lifecycles) {
      if (!samePlace(policy.stack, target.stack) || !policy.types.includes(target.type?.name ?? '')) continue;
      if (![...policy.tags].some(([key, value]) => target.tags.get(key) === value)) continue;
      layers.push(...policy.layers);
      undetermined.push(...policy.unclear);
    }
    if (resource !== null) {
      const own = ownBackupsOf(this.resolver, target.stack, resource);
      layers.push(...own.layers);
      undetermined.push(...own.unclear);
    }
    const constructPath = resource?.constructPath ?? null;
    return { target, subject, logicalId, constructPath, layers, undetermined: [...new Set(undetermined)] };
  }

  private tagsOf(stack: Stack, { properties }: Resource): ReadonlyMap<string, string> {
    const tags = properties.Tags ?? properties.FileSystemTags;
    return tagsOf(branches(this.resolver, stack, tags)[0]);
  }
}

/** Why nobody can tell whether, or how, a resource is there: conditions are settled at deployment. */
function openBy({ logicalId, condition }: Resource, variants: number): readonly string[] {
  const open: string[] = [];
  if (condition !== null) open.push(`whether ${logicalId} is there (condition ${condition})`);
  if (variants > 1) open.push(`which of ${variants} outcomes of its conditions ${logicalId} has`);
  return open;
}

function leastLoss(rules: readonly PlainRule[]): number {
  const minutes = rules.map((rule) => {
    try {
      return worstCaseLoss(ruleLayer(rule)).minutes;
    } catch {
      return Number.MAX_VALUE;
    }
  });
  return Math.min(Number.MAX_VALUE, ...minutes);
}

/** Types, `null` for every type, or ARNs of resources that are declared elsewhere. */
function typesOf(
  { resources, anyOf }: Selection,
  resolver: Resolver,
): readonly (TypeRecord | string | null)[] {
  if (resources.length === 0) return anyOf.length > 0 ? [null] : [];
  return resources.flatMap((arn) => {
    if (arn === '*') return [null];
    if (resolver.tokens.all(arn).some(({ kind }) => kind === 'resource')) return [];
    if (!arn.includes('*')) return isLiteral(arn) ? [arn] : [];
    return [typeOfArn(arn) ?? arn];
  });
}

/** An instance of a cluster, a replica, or a volume of ZFS: another resource holds it. ONTAP has its data in volumes. */
function isPartOfAnother({ type, properties }: Resource): boolean {
  if (type === 'AWS::FSx::FileSystem') return properties.FileSystemType === 'ONTAP';
  if (type === 'AWS::FSx::Volume') return properties.VolumeType === 'OPENZFS';
  if (type !== 'AWS::RDS::DBInstance') return false;
  return properties.DBClusterIdentifier !== undefined || properties.SourceDBInstanceIdentifier !== undefined;
}

/** Plans and policies work in their own account and region. */
function samePlace(a: Place, b: Place): boolean {
  return a.region === b.region && a.account === b.account;
}

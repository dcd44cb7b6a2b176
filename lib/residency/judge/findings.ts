/** What is worth saying although it is no edge. */
import { separation } from '../../regime/distance';
import type { Edge, Finding } from '../model';
import type { AuditPolicy } from '../policy';
import type { Resolver } from '../resolve/resolver';
import { isObject, NESTED_STACKS, own, type Stack } from '../resolve/stack';
import { isLiteral } from '../resolve/text';
import { DECIDED_TYPES, RESOURCE_TYPES } from '../rules';
import { daysUntil } from './dates';
import type { Regimes } from './regimes';

/** Names of the findings, which people put in their filters: never change one. */
export const FINDING_RULES: Readonly<Record<string, string>> = {
  'copies-too-close': 'A copy is less than 200 km (error: 100 km) from what it is a copy of.',
  'copies-distance-unsure':
    'Sites are not published, so a copy may be less than 200 km from what it is a copy of.',
  'sole-region':
    'A regime has one region, and the policy names nobody who accepts that there is no second one.',
  'sole-region-review': 'The acceptance of a sole region is due for review.',
  'exception-expired': 'A transfer exception has expired and covers nothing any more.',
  'exception-expiring': 'A transfer exception expires within 90 days.',
  'multi-region-key': 'A multi-Region key can be replicated to any region by a later call.',
  'key-wider-than-data': 'A key is replicated to a region that no data of its origin goes to.',
  'circular-reference':
    'Resources or values refer to each other in a circle, so CloudFormation refuses the template.',
  'type-not-assessed':
    'A resource type is not in the catalogue of properties, or code of the template decides what it does.',
  'nested-template-not-assessed': 'The template of a nested stack is not among the inputs.',
  'macro-not-assessed': 'A macro rewrites the template at deployment; what it adds was not audited.',
  'no-resources': 'A template declares no resource, so there was nothing to audit.',
  'file-not-assessed': 'A file in a folder is no CloudFormation template.',
};

const WARN_DAYS = 90;
/** Of the serverless transform: rows of their own, or nothing that moves. */
const SHORTHAND = /^AWS::Serverless::/;
const BY_CODE = /^(Custom::|AWS::CloudFormation::CustomResource$)/;
/** Of the CDK itself: helpers whose work the audit follows, and a list of the constructs in use that makes nothing. */
const FOLLOWED = new Set([
  'AWS::CDK::Metadata',
  'Custom::AWS',
  'Custom::CrossRegionExportReader',
  'Custom::CrossRegionExportWriter',
]);

export interface FindingsInput {
  readonly stacks: readonly Stack[];
  readonly edges: readonly Edge[];
  readonly policy: AuditPolicy;
  readonly regimes: Regimes;
  readonly resolver: Resolver;
  readonly now: Date;
}

export function findingsOf(input: FindingsInput): readonly Finding[] {
  return [
    ...input.stacks.flatMap((stack) => ofStack(stack, input)),
    ...loopsOfValues(input.resolver),
    ...input.edges.flatMap(tooClose),
    ...keysWiderThanData(input.edges),
    ...soleRegions(input),
    ...exceptions(input.policy, input.now),
  ];
}

function ofStack(stack: Stack, { resolver }: FindingsInput): readonly Finding[] {
  const template = stack.input.path;
  const found: Finding[] = [];
  for (const circle of stack.input.facts?.circles ?? []) {
    found.push({
      rule: 'circular-reference',
      severity: 'error',
      template,
      logicalId: circle[0]!,
      message: `${[...circle, circle[0]].join(' -> ')} is a circle: CloudFormation refuses the template, so its audit proves nothing; break the circle.`,
    });
  }
  for (const macro of stack.input.facts?.macros ?? []) {
    const known = macro === 'AWS::Serverless-2016-10-31';
    found.push({
      rule: 'macro-not-assessed',
      severity: known ? 'note' : 'warning',
      template,
      logicalId: null,
      message: `${macro} rewrites the template at deployment: what it adds is not audited; audit the processed template (aws cloudformation get-template --template-stage Processed) as well.`,
    });
  }
  if (stack.resources.size === 0) {
    const message =
      'The template declares no resource, so there was nothing to audit; check that it is the right file.';
    found.push({ rule: 'no-resources', severity: 'note', template, logicalId: null, message });
  }
  const unassessed = new Map<string, string[]>();
  for (const [logicalId, type] of stack.resources.types()) {
    if (!isAssessed(type)) {
      const ids = unassessed.get(type);
      if (ids === undefined) unassessed.set(type, [logicalId]);
      else ids.push(logicalId);
    }
    if (NESTED_STACKS.has(type) && stack.input.nested?.[logicalId] === undefined) {
      found.push({
        rule: 'nested-template-not-assessed',
        severity: 'warning',
        template,
        logicalId,
        message: `The template of the nested stack ${logicalId} is not among the inputs, so nothing in it was audited; give the folder or the cloud assembly that holds it.`,
      });
    }
    const multiRegion =
      type === 'AWS::KMS::Key' ? own(stack.resources.get(logicalId)!.properties, 'MultiRegion') : undefined;
    if (
      multiRegion !== undefined &&
      resolver.texts(multiRegion, stack).some(({ value }) => value !== 'false')
    ) {
      found.push({
        rule: 'multi-region-key',
        severity: 'warning',
        template,
        logicalId,
        message: `${logicalId} is a multi-Region key: a later call can replicate its key material to any region; deny kms:ReplicateKey outside the regime (sovereign-backup guard writes the policy), or use a single-Region key.`,
      });
    }
  }
  for (const [type, ids] of unassessed) {
    const several =
      ids.length > 3 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ');
    found.push({
      rule: 'type-not-assessed',
      severity: 'note',
      template,
      logicalId: ids[0]!,
      message: `${type} was not assessed (${several}): ${
        BY_CODE.test(type)
          ? 'the code behind it decides where data goes'
          : 'the catalogue of properties does not know the type'
      }; check by hand where it sends data.`,
    });
  }
  return found;
}

/** False where nobody has looked at what the properties of a type can do, or where code decides it. */
export function isAssessed(type: string): boolean {
  if (FOLLOWED.has(type)) return true;
  if (BY_CODE.test(type)) return false;
  return RESOURCE_TYPES.has(type) || SHORTHAND.test(type) || DECIDED_TYPES.has(type);
}

/** Values that need themselves, as met while following expressions. */
function loopsOfValues(resolver: Resolver): readonly Finding[] {
  return [...resolver.cycles.values()].map(({ stack, what }) => ({
    rule: 'circular-reference',
    severity: 'error',
    template: stack.input.path,
    logicalId: null,
    message: `${what} refers to itself, directly or through other templates: CloudFormation cannot deploy that; break the circle.`,
  }));
}

const COPIES: ReadonlySet<string> = new Set(['backup', 'snapshot', 'replica', 'object', 'image']);

function tooClose(edge: Edge): readonly Finding[] {
  const { from, to } = edge;
  if (edge.verdict !== 'allowed' && edge.verdict !== 'excepted') return [];
  if (!COPIES.has(edge.what) || from.region === null || to.region === null || from.region === to.region)
    return [];
  const apart = separation(from.region, to.region);
  if (apart === undefined || apart.km - apart.toleranceKm >= 200) return [];
  const { template, logicalId } = edge;
  const between = `${from.region} and ${to.region} are about ${apart.km} km apart (give or take ${apart.toleranceKm} km)`;
  if (apart.km >= 200) {
    const message = `${between}, so the copy that ${logicalId} makes may be under 200 km away; record why one disaster cannot reach both.`;
    return [{ rule: 'copies-distance-unsure', severity: 'note', template, logicalId, message }];
  }
  const limit = apart.km < 100 ? 100 : 200;
  const message = `${between}, under ${limit} km, so one disaster can reach both copies of ${logicalId}; choose a region farther away.`;
  return [
    { rule: 'copies-too-close', severity: limit === 100 ? 'error' : 'warning', template, logicalId, message },
  ];
}

function keysWiderThanData(edges: readonly Edge[]): readonly Finding[] {
  const journeys = new Set<string>();
  for (const { what, from, to } of edges) {
    if (what === 'key') continue;
    journeys.add(`${from.region} ${to.region}`).add(`${to.region} ${from.region}`);
  }
  return edges
    .filter(
      ({ what, from, to }) =>
        what === 'key' && from.region !== null && to.region !== null && from.region !== to.region,
    )
    .filter(({ from, to }) => !journeys.has(`${from.region} ${to.region}`))
    .map(({ template, logicalId, from, to }) => ({
      rule: 'key-wider-than-data',
      severity: 'warning' as const,
      template,
      logicalId,
      message: `${logicalId} brings a key from ${from.region} to ${to.region}, but no data in these templates goes that way; without need for it there, remove the replica.`,
    }));
}

function soleRegions({ stacks, policy, regimes, now }: FindingsInput): readonly Finding[] {
  const used = new Map<string, Stack>();
  for (const stack of stacks) {
    if (!isLiteral(stack.region)) continue;
    for (const regime of regimes.of(stack.region, isLiteral(stack.account) ? stack.account : null)) {
      if (!used.has(regime)) used.set(regime, stack);
    }
  }
  return [...used].flatMap(([regime, stack]): Finding[] => {
    const regions = regimes.regionsOf(regime);
    if (regions.length !== 1) return [];
    const about = { template: stack.input.path, logicalId: null };
    const acceptance =
      isObject(policy.soleRegion) && own(policy.soleRegion, regime) ? policy.soleRegion[regime] : undefined;
    if (acceptance === undefined) {
      const message = `The regime ${regime} has one region (${regions[0]}), so no second one can hold a copy, and the policy names nobody who accepts that; keep a copy in a second account or an air-gapped vault there, and record the acceptance under soleRegion of the policy.`;
      return [{ rule: 'sole-region', severity: 'warning', ...about, message }];
    }
    const days = daysUntil(acceptance.reviewOn, now);
    if (days >= 0) return [];
    const message = `The acceptance of the sole region of ${regime} by ${acceptance.acceptedBy} was due for review on ${acceptance.reviewOn}; review it and set a new date.`;
    return [{ rule: 'sole-region-review', severity: 'warning', ...about, message }];
  });
}

function exceptions(policy: AuditPolicy, now: Date): readonly Finding[] {
  return policy.exceptions.flatMap((exception): Finding[] => {
    const days = daysUntil(exception.expires, now);
    if (days > WARN_DAYS) return [];
    const which = `The exception from ${exception.from} to ${exception.to} (${exception.instrument})`;
    const about = { severity: 'warning' as const, template: null, logicalId: null };
    if (days < 0) {
      const message = `${which} expired on ${exception.expires} and covers nothing any more; renew or remove it.`;
      return [{ rule: 'exception-expired', ...about, message }];
    }
    const message = `${which} expires on ${exception.expires}, in ${days} days; renew it or end the transfer.`;
    return [{ rule: 'exception-expiring', ...about, message }];
  });
}

import type { TemplateInput } from '../../residency/input';
import { Regimes } from '../../residency/judge/regimes';
import type { AuditPolicy } from '../../residency/policy';
import { prepareInput } from '../../residency/read/prepare';
import { buildStacks } from '../../residency/resolve/build';
import { Exports } from '../../residency/resolve/exports';
import { Resolver } from '../../residency/resolve/resolver';
import { assess, type Objective, objectiveProblems } from '../assessment';
import { worstCaseLoss } from '../worst-case';
import { Drills } from './drills';
import type { Exemption, ObjectivesResult, ResourceResult, StatedObjective } from './model';
import { recordedObjective } from './recorded';
import type { Row } from './row';
import { Rows } from './rows';
import { matchesGlob } from './selections';
import { knownText } from './values';
import { Vaults } from './vaults';

/**
 * What the plans, snapshot policies and service backups of the templates add up to, for each resource, with the same
 * arithmetic as the constructs' `requireObjective`.
 *
 * @param stated asked of every resource; without it, what an estate has written into its own templates
 */
export function objectivesOf(
  inputs: readonly TemplateInput[],
  policy: AuditPolicy,
  stated: StatedObjective | null,
  exemptions: readonly Exemption[] = [],
): ObjectivesResult {
  const resolver = new Resolver();
  const stacks = buildStacks(inputs.map(prepareInput), resolver);
  resolver.exports = new Exports(resolver, stacks);
  const regimes = new Regimes(policy);
  const vaults = new Vaults(resolver, stacks);
  const drills = new Drills(resolver, vaults, stacks);
  const resources = new Rows(resolver, stacks, vaults).all().map((row): ResourceResult => {
    const { stack } = row.target;
    const promised = stated?.objective ?? (row.apart ? null : recordedObjective(resolver, stack));
    const by = stated?.by ?? (promised === null ? null : 'template');
    return judged(row, promised, by, drills, regimes, exemptions);
  });
  const count = (wanted: (each: ResourceResult) => boolean) => resources.filter(wanted).length;
  return {
    schemaVersion: 1,
    summary: {
      resources: resources.length,
      missed: count(({ missed }) => missed.length > 0),
      undetermined: count(({ undetermined }) => undetermined.length > 0),
      unprotected: count(({ layers, undetermined }) => layers.length + undetermined.length === 0),
      exempt: count(({ exempt }) => exempt !== null),
    },
    resources,
    inputs: [...new Map(stacks.map(({ input }) => [input.path, input.sha256]))].map(([path, sha256]) => ({
      path,
      sha256,
    })),
  };
}

/** Whether a pipeline has to stop: an objective is missed, and in strict mode where it cannot be told. */
export function missesObjective({ summary }: ObjectivesResult, strict: boolean): boolean {
  return summary.missed > 0 || (strict && summary.undetermined > 0);
}

function judged(
  row: Row,
  promised: Objective | null,
  by: ResourceResult['statedBy'],
  drills: Drills,
  regimes: Regimes,
  exemptions: readonly Exemption[],
): ResourceResult {
  const { target, subject, logicalId, constructPath, layers, undetermined } = row;
  const home = { region: knownText(target.stack.region), account: knownText(target.stack.account) };
  const stores = layers.flatMap((layer) => layer.stores ?? []);
  const drill = row.drill === undefined ? drills.of(target, stores) : row.drill;
  const exemption = exemptions.find(
    ({ resource }) =>
      matchesGlob(resource, subject) ||
      matchesGlob(resource, logicalId) ||
      (constructPath !== null && matchesGlob(resource, constructPath)),
  );
  const where = home.region === null ? subject : `${subject} in ${home.region}`;
  // Where nobody can tell what there is, nobody can say that it is nothing.
  const open = layers.length === 0 && undetermined.length > 0;
  const missed =
    promised === null || exemption !== undefined || open
      ? []
      : objectiveProblems(where, layers, promised, home, drill);
  return {
    subject,
    type: target.type?.name ?? null,
    template: target.stack.input.path,
    stack: target.stack.name,
    logicalId,
    constructPath,
    ...home,
    regime: home.region === null ? null : (regimes.of(home.region, home.account)[0] ?? null),
    ...assess(home, layers, drill),
    layers: layers.map((layer) => ({
      name: layer.name,
      loss: worstCaseLoss(layer),
      retentionDays: layer.retentionDays,
    })),
    objective: promised,
    statedBy: by,
    missed,
    undetermined,
    exempt: exemption?.reason ?? null,
  };
}

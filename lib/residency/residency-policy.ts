import { readFileSync } from 'node:fs';
import { Stage, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { DeclarationError } from '../errors';
import type { PrivacyRegime, TransferException } from '../regime';
import { findRegime } from '../regime/lookup';
import { ResidencyPlugin } from './plugin';
import type { AuditPolicy } from './policy';
import { policyOf, policyProblems } from './policy-problems';
import { isObject, type PlainObject } from './resolve/stack';

/** Somebody's acceptance that a regime has no second region to copy to. */
export interface SoleRegionRecord {
  /** The regime with one region. */
  readonly regime: PrivacyRegime;

  /** Who accepted it: a person or an office that can be asked. */
  readonly acceptedBy: string;

  /** When it is to be looked at again, as `YYYY-MM-DD`. */
  readonly reviewOn: string;

  /**
   * Why it was accepted.
   *
   * @default - none is recorded
   */
  readonly reason?: string;
}

/** By what an app is judged. With nothing given, by the catalogue of regimes and no exception. */
export interface ResidencyPolicyProps {
  /**
   * A policy file in JSON, the same that `sovereign-backup audit --policy` reads. What else is given here adds to it.
   *
   * @default - no file
   */
  readonly file?: string;

  /**
   * Regimes of your own, which count before the catalogue's in the regions they hold.
   *
   * @default - the catalogue's, and those named by the other properties
   */
  readonly regimes?: PrivacyRegime[];

  /**
   * Which regime an environment belongs to, where several could: keys are `account/region`, or a region for every
   * account.
   *
   * @default - the regime that holds the region
   */
  readonly assignments?: { [environment: string]: PrivacyRegime };

  /**
   * Transfers that are allowed.
   *
   * @default - none
   */
  readonly exceptions?: TransferException[];

  /**
   * Regions of buckets that the app does not declare, by name.
   *
   * @default - copies to such buckets are undetermined
   */
  readonly buckets?: { [name: string]: string };

  /**
   * Acceptances of regimes with a single region.
   *
   * @default - none
   */
  readonly soleRegions?: SoleRegionRecord[];

  /**
   * Whether a destination that cannot be determined fails synthesis too.
   *
   * @default false
   */
  readonly strict?: boolean;
}

/**
 * Fails the synthesis of any CDK app whose templates move data, or a key to it, out of its privacy regime.
 *
 * It judges the templates that were written, with the code of `sovereign-backup audit`: L1, L2 and escape hatches are
 * all seen, and nothing else of this library needs to be used.
 *
 * @see https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
 */
export class ResidencyPolicy {
  /**
   * The policy of an app or a stage.
   *
   * @throws when the scope is neither
   */
  public static of(scope: IConstruct): ResidencyPolicy {
    if (!Stage.isStage(scope)) {
      throw new DeclarationError(
        `residency policy: ${scope.node.path} is neither an app nor a stage; write ResidencyPolicy.of(app)`,
      );
    }
    return new ResidencyPolicy(scope);
  }

  private constructor(private readonly stage: Stage) {}

  /**
   * From now on, synthesis fails where something leaves its regime.
   *
   * @throws when the policy itself is wrong: an unknown region, an exception without an end, a file that is no policy
   */
  public enforce(props: ResidencyPolicyProps = {}): void {
    Validations.of(this.stage).addPlugins(
      new ResidencyPlugin(this.stage, policyFrom(props), props.strict ?? false),
    );
  }
}

function policyFrom(props: ResidencyPolicyProps): AuditPolicy {
  const file = props.file === undefined ? {} : readPolicy(props.file);
  const part = (name: string) => (isObject(file[name]) ? file[name] : {});
  const exceptions = props.exceptions ?? [];
  const soleRegions = props.soleRegions ?? [];
  const named = [
    ...exceptions.flatMap(({ from, to }) => [from, to]),
    ...Object.values(props.assignments ?? {}),
    ...soleRegions.map(({ regime }) => regime),
  ].filter(({ id }) => findRegime(id) === undefined);
  const document = {
    ...file,
    schemaVersion: file.schemaVersion ?? 1,
    regimes: {
      ...part('regimes'),
      ...byId([...named, ...(props.regimes ?? [])], ({ name, law, regions }) => ({ name, law, regions })),
    },
    assign: {
      ...part('assign'),
      ...Object.fromEntries(Object.entries(props.assignments ?? {}).map(([key, { id }]) => [key, id])),
    },
    exceptions: [
      ...(Array.isArray(file.exceptions) ? file.exceptions : []),
      ...exceptions.map(({ from, to, ...rest }) => ({ from: from.id, to: to.id, ...rest })),
    ],
    places: { ...part('places'), buckets: { ...bucketsOf(part('places')), ...props.buckets } },
    soleRegion: {
      ...part('soleRegion'),
      ...Object.fromEntries(soleRegions.map(({ regime, ...rest }) => [regime.id, rest])),
    },
  };
  const problems = policyProblems(document);
  if (problems.length > 0) {
    const lines = problems.map(({ at, message }) => `${at.length > 0 ? `${at.join('.')}: ` : ''}${message}`);
    throw new DeclarationError(`residency policy${props.file ? ` ${props.file}` : ''}: ${lines.join('; ')}`);
  }
  return policyOf(document);
}

function bucketsOf(places: PlainObject): PlainObject {
  return isObject(places.buckets) ? places.buckets : {};
}

function byId<T>(
  regimes: readonly PrivacyRegime[],
  value: (regime: PrivacyRegime) => T,
): { [id: string]: T } {
  return Object.fromEntries(regimes.map((regime) => [regime.id, value(regime)]));
}

function readPolicy(file: string): PlainObject {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new DeclarationError(
      `residency policy ${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new DeclarationError(
      `residency policy ${file}: is no JSON: ${(error as Error).message}. The construct reads JSON only, the command line YAML too`,
    );
  }
  if (!isObject(document)) throw new DeclarationError(`residency policy ${file}: must be a JSON object`);
  // A section of the wrong kind would be lost when the properties are merged into it.
  const problems = policyProblems(document);
  const [first] = problems;
  if (first) throw new DeclarationError(`residency policy ${file}: ${first.at.join('.')}: ${first.message}`);
  return document;
}

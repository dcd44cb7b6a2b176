import { OBJECTIVE_PROPERTIES } from '../../objective/templates/kept';
import { NESTED_STACKS } from '../resolve/stack';
import { PROPERTY_RULES } from '../rules';

/** Types that are read for more than the rows of the data file: names to join by, values to follow, keys to warn of. */
const READ_WHOLE: ReadonlySet<string> = new Set([...NESTED_STACKS, 'AWS::KMS::Key', 'AWS::SSM::Parameter']);

/** Properties by which resources are named, or known to be the first of their kind. */
const ALWAYS = [
  'BucketName',
  'DatabaseName',
  'GlobalClusterIdentifier',
  'GlobalReplicationGroupId',
  'GlobalReplicationGroupIdSuffix',
  'ManageMasterUserPassword',
  'MasterUsername',
  'MultiRegionClusterName',
  'MultiRegionClusterNameSuffix',
  'SnapshotIdentifier',
];

const NAMES: ReadonlySet<string> = new Set(ALWAYS);
let byType: Map<string, Set<string>> | undefined;

/** The top-level properties of a type that the audit can need. */
export function propertiesToKeep(type: string): ReadonlySet<string> | 'all' {
  // An SDK call of the CDK may go under any name for a custom resource.
  if (READ_WHOLE.has(type) || type.startsWith('Custom::')) return 'all';
  byType ??= collectByType();
  return byType.get(type) ?? NAMES;
}

function collectByType(): Map<string, Set<string>> {
  const kept = new Map<string, Set<string>>();
  for (const rule of PROPERTY_RULES) {
    if (rule.class !== 'moves-data') continue;
    const names = kept.get(rule.type) ?? new Set(ALWAYS);
    const paths = [rule.path, rule.other?.path, rule.when?.path];
    for (const clue of [...(rule.also ?? []), ...(rule.unless ?? [])]) paths.push(clue.path);
    for (const path of paths) if (path !== undefined) names.add(path.split(/[.[{]/)[0]!);
    kept.set(rule.type, names);
  }
  for (const [type, properties] of OBJECTIVE_PROPERTIES) {
    kept.set(type, new Set([...(kept.get(type) ?? ALWAYS), ...properties]));
  }
  return kept;
}

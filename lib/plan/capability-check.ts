import type { aws_backup, ResourceEnvironment } from 'aws-cdk-lib/interfaces';
import type { Construct } from 'constructs';
import { type TypeRecord, typeNamed } from '../objective/type-table';
import { addProblem, addWarning } from '../problems';
import { isUnresolved } from '../regime/region-check';
import { placeOfVault, type VaultPlace } from '../vault/vault-place';
import type { BackupRule } from './backup-rule';
import { copyable, type FoundResource } from './construct-arns';
import { withoutOwnKey } from './foreign-keys';
import type { ResourceType } from './resource-type';

/** A plan, and what its rules ask for. */
export interface CapabilityRequest {
  readonly plan: Construct;
  readonly env: ResourceEnvironment;
  readonly rules: readonly BackupRule[];
  /** Of all rules. */
  readonly copies: readonly aws_backup.IBackupVaultRef[];
}

/** What the types of a selection cannot do of what the rules ask for. */
export function checkCapabilities(
  { plan, env, rules, copies }: CapabilityRequest,
  id: string,
  types: readonly ResourceType[],
  found: readonly FoundResource[],
): void {
  const unable = (wanted: (type: Pick<TypeRecord, 'cold' | 'copies'>) => boolean) => {
    const byType = types.filter(({ name, copyable }) =>
      wanted({ cold: typeNamed(name)?.cold ?? true, copies: copyable }),
    );
    const byResource = found.filter((each) => wanted({ ...each.type, copies: copyable(each) }));
    return [
      ...new Set([
        ...byType.map(({ name }) => name),
        ...byResource.map(({ resource, type }) => `${resource.node.path} (${type.name})`),
      ]),
    ].join(', ');
  };
  const cold = rules.find(({ props }) => props.moveToColdStorageAfter);
  const warm = cold && unable((type) => !type.cold);
  if (warm) {
    addWarning(
      plan,
      'cold-storage-ignored',
      `selection '${id}': ${warm} have no cold storage, moveToColdStorageAfter of rule '${cold.ruleName}' does ` +
        'nothing for them',
    );
  }
  const copied = copies.map(placeOfVault);
  const away = copied.find(({ region, account }) => region !== env.region || account !== env.account);
  const stuck = away && unable(({ copies }) => copies === false);
  if (stuck) {
    addProblem(
      plan,
      `selection '${id}': the rules copy to ${placed(away)}, and AWS Backup does not copy recovery points of ${stuck} to ` +
        'another region or account: protect these by a plan without copies. Where AWS has come to copy a type, select it as ' +
        "new ResourceType('Name', 'service:*:*:thing/*', undefined, true)",
    );
  }
  const unclear = away && unable(({ copies }) => copies === undefined);
  if (unclear) {
    addWarning(
      plan,
      'copies-not-clear',
      `selection '${id}': AWS does not say whether AWS Backup copies recovery points of ${unclear} to another region or ` +
        'account: try it, and look for copies that fail',
    );
  }
  const foreign = copied.filter(({ account }) => account !== env.account && !isUnresolved(account));
  if (foreign.length === 0) return;
  for (const { resource, type } of withoutOwnKey(found)) {
    addProblem(
      plan,
      `selection '${id}': ${resource.node.path} (${type.name}) is encrypted under a key that AWS manages, and its backups ` +
        `cannot be copied to account ${foreign[0].account}: give it a customer managed key`,
    );
  }
}

const placed = ({ region, account }: VaultPlace) =>
  [region, account]
    .map((each) => (isUnresolved(each) ? 'a place known only at deployment' : each))
    .join(', account ');

import { parseArn } from '../../residency/edge/arn';
import type { Resolver } from '../../residency/resolve/resolver';
import type { Stack } from '../../residency/resolve/stack';
import { isLiteral } from '../../residency/resolve/text';
import type { Lock, Store } from '../store';
import { branches, fieldsOf, knownText, textOf } from './values';

const VAULT = 'AWS::Backup::BackupVault';
const AIR_GAPPED = 'AWS::Backup::LogicallyAirGappedBackupVault';

interface Vault {
  readonly stack: Stack;
  readonly logicalId: string;
  readonly name: string | null;
  readonly lock: Lock;
}

/** The vaults of all templates, found by reference, by name or by ARN. */
export class Vaults {
  private readonly all: Vault[] = [];

  public constructor(
    private readonly resolver: Resolver,
    stacks: readonly Stack[],
  ) {
    for (const stack of stacks) {
      for (const resource of stack.resources.ofTypes((type) => type === VAULT || type === AIR_GAPPED)) {
        const { logicalId, type, properties } = resource;
        const name = textOf(branches(resolver, stack, properties.BackupVaultName)[0]);
        const lock = type === AIR_GAPPED ? 'air-gapped' : this.lockOf(stack, properties.LockConfiguration);
        this.all.push({ stack, logicalId, name: name !== undefined && isLiteral(name) ? name : null, lock });
      }
    }
  }

  /** The vault that a text names, as a rule of the stack sees it. */
  public storeOf(text: string, from: Stack): Omit<Store, 'retentionDays'> {
    const arn = parseArn(text);
    const place = arn ?? { region: from.region, account: from.account };
    const id = arn === undefined ? text : arn.resource.replace(/^backup-vault:/, '');
    const found = this.find(id, place);
    if (found !== undefined) {
      const { stack, name, logicalId, lock } = found;
      return {
        kind: 'vault',
        name: name ?? logicalId,
        region: knownText(stack.region),
        account: knownText(stack.account),
        lock,
      };
    }
    return {
      kind: 'vault',
      name: knownText(id),
      region: knownText(place.region),
      account: knownText(place.account),
      lock: 'unknown',
    };
  }

  private find(id: string, place: { readonly region: string; readonly account: string }): Vault | undefined {
    const token = this.resolver.tokens.lone(id);
    if (token?.kind === 'resource') {
      return this.all.find(({ stack, logicalId }) => stack === token.stack && logicalId === token.logicalId);
    }
    return this.all.find(
      ({ name, stack }) => name === id && stack.region === place.region && stack.account === place.account,
    );
  }

  private lockOf(stack: Stack, declared: unknown): Lock {
    const [value] = branches(this.resolver, stack, declared);
    if (value === undefined) return 'none';
    const { MinRetentionDays: min, ChangeableForDays: cooling } = fieldsOf(value);
    if (min === undefined) return 'none';
    return cooling === undefined ? 'governance' : 'compliance';
  }
}

import type { Duration } from 'aws-cdk-lib';
import type { aws_backup } from 'aws-cdk-lib/interfaces';
import { placeOfVault } from '../vault/vault-place';
import { isRegimeVault } from '../vault/vault-store';
import type { BackupRule } from './backup-rule';

/** A copy as a rule asks for it. */
export interface PlannedCopy {
  readonly vault: aws_backup.IBackupVaultRef;
  readonly days: number;
  readonly cold?: number;
  readonly archive?: boolean;
}

/** Each copy of a rule with its lifecycle; `usual` are those of the plan, for rules that name none. */
export function copiesOf(rule: BackupRule, usual: readonly aws_backup.IBackupVaultRef[]): PlannedCopy[] {
  const { props: declared } = rule;
  const plain = (declared.copies ?? usual).map((vault) => ({
    vault,
    days: rule.copyRetentionDays,
    cold: coldAge(declared),
    archive: declared.archiveSnapshots,
  }));
  const own = (declared.copiesWithLifecycle ?? []).map((copy) => ({
    vault: copy.vault,
    days: copy.retention?.toDays({ integral: false }) ?? rule.copyRetentionDays,
    cold: coldAge(copy),
    archive: copy.archiveSnapshots,
  }));
  return [...plain, ...own];
}

/** Parts of days are reported as a problem of the rule. */
export const coldAge = ({ moveToColdStorageAfter: age }: { readonly moveToColdStorageAfter?: Duration }) =>
  age?.toDays({ integral: false });

/** Vaults that a rule copies into more than once, in words. */
export function copiedTwice(copies: readonly PlannedCopy[]): Set<string> {
  const names = copies.map(({ vault }) => nameOf(vault));
  return new Set(names.filter((name, index) => names.indexOf(name) < index));
}

function nameOf(vault: aws_backup.IBackupVaultRef): string {
  const { region, account } = placeOfVault(vault);
  return isRegimeVault(vault)
    ? `vault ${vault.vaultName} of ${region}, account ${account}`
    : vault.backupVaultRef.backupVaultArn;
}

import type { aws_backup } from 'aws-cdk-lib/interfaces';
import type { Lock, Store } from '../objective/store';
import { isUnresolved } from '../regime/region-check';
import type { IRegimeVault } from './regime-vault-props';
import { placeOfVault } from './vault-place';

/** A vault as the objective arithmetic sees it. */
export function storeOf(vault: aws_backup.IBackupVaultRef, retentionDays?: number): Store {
  const { region, account } = placeOfVault(vault);
  const known = isRegimeVault(vault) ? vault : undefined;
  return {
    kind: 'vault',
    name: known?.vaultName ?? null,
    region: isUnresolved(region) ? null : region,
    account: isUnresolved(account) ? null : account,
    lock: known ? lockOf(known) : 'unknown',
    retentionDays,
  };
}

export function isRegimeVault(vault: aws_backup.IBackupVaultRef): vault is IRegimeVault {
  return 'regime' in vault;
}

function lockOf({ vaultLock, airGapped }: IRegimeVault): Lock {
  if (airGapped) return 'air-gapped';
  if (vaultLock === undefined) return 'unknown';
  if (vaultLock.minRetentionDays === undefined) return 'none';
  return vaultLock.coolingOffDays === undefined ? 'governance' : 'compliance';
}

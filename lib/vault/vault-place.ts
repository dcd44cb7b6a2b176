import { Arn, ArnFormat, Token } from 'aws-cdk-lib';
import type { aws_backup } from 'aws-cdk-lib/interfaces';

/** Where a vault is: of what it says about itself and what its ARN says, the part that is known at synthesis. */
export interface VaultPlace {
  readonly region: string;
  readonly account: string;
}

export function placeOfVault(vault: aws_backup.IBackupVaultRef): VaultPlace {
  const arn = vault.backupVaultRef.backupVaultArn;
  if (!Token.isUnresolved(arn)) {
    const { region, account } = Arn.split(arn, ArnFormat.COLON_RESOURCE_NAME);
    if (region && account) return { region, account };
  }
  return vault.env;
}

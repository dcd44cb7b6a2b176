import type { RemovalPolicy } from 'aws-cdk-lib';
import type { aws_backup, aws_kms } from 'aws-cdk-lib/interfaces';
import type { PrivacyRegime } from '../regime';
import type { TransferException } from '../regime/transfer-exception';
import type { VaultLock } from './vault-lock';

/** A backup vault that knows its regime: made here, or known by its name and place. */
export interface IRegimeVault extends aws_backup.IBackupVaultRef {
  /** The regime whose recovery points it holds. */
  readonly regime: PrivacyRegime;

  /** Its name, known at synthesis also to stacks in other regions. */
  readonly vaultName: string;

  /** Its lock; undefined when it is not known here. */
  readonly vaultLock?: VaultLock;

  /** Whether it is a logically air-gapped vault; undefined when that is not known here. */
  readonly airGapped?: boolean;
}

/** What the vault is called, how it is locked and who may copy to and from it. */
export interface RegimeVaultProps {
  /**
   * The regime of the recovery points.
   *
   * @default - the widest regime of the catalogue that holds the stack's region
   */
  readonly regime?: PrivacyRegime;

  /**
   * 2 to 50 letters, digits, dashes and underscores. No personal data: vault names are not confidential.
   * Another name replaces the vault, and the old one stays with its recovery points.
   *
   * @default - a name made of the construct's path
   */
  readonly vaultName?: string;

  /**
   * The key that encrypts the recovery points, of the vault's own region.
   *
   * @default - a new key of this region, rotated yearly and retained
   */
  readonly encryptionKey?: aws_kms.IKeyRef;

  /**
   * What keeps recovery points from being deleted before their time.
   *
   * @default VaultLock.governance()
   */
  readonly vaultLock?: VaultLock;

  /**
   * Other accounts of the organization, to and from whose vaults in the regime may be copied.
   *
   * @default - copies stay in this account
   */
  readonly copyAccounts?: string[];

  /**
   * Dated leave to copy to regions of another regime.
   *
   * @default - no copy leaves the regime
   */
  readonly exceptions?: TransferException[];

  /**
   * What happens to vault and key when they are taken out of the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** Where a vault is that another stack, app or team has made. */
export interface RegimeVaultAttributes {
  /** Its name. */
  readonly vaultName: string;

  /** Its region, written out. */
  readonly region: string;

  /**
   * Its account.
   *
   * @default - the account of the importing stack
   */
  readonly account?: string;

  /**
   * The regime of its recovery points.
   *
   * @default - the widest regime of the catalogue that holds the region
   */
  readonly regime?: PrivacyRegime;

  /**
   * Its lock, when known: retentions are then checked against it.
   *
   * @default - not checked
   */
  readonly vaultLock?: VaultLock;

  /**
   * Whether it is a logically air-gapped vault.
   *
   * @default false
   */
  readonly airGapped?: boolean;
}

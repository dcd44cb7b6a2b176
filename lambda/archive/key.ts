import type { KeyringNode } from '@aws-crypto/material-management-node';

/** What opens and closes archives: an AWS Encryption SDK keyring and the name under which people know it. */
export interface ArchiveKey {
  /** A KMS key ARN, or `raw:` and the fingerprint of a local key; never key material. */
  readonly id: string;
  readonly keyring: KeyringNode;
}

import type { KeyringNode } from '@aws-crypto/material-management-node';
import { OperationError } from '../errors.js';

/** What opens and closes archives: an AWS Encryption SDK keyring and the name under which people know it. */
export interface ArchiveKey {
  /** A KMS key ARN, or `raw:` and the fingerprint of a local key; never key material. */
  readonly id: string;
  readonly keyring: KeyringNode;
  /** Another key that archives may have been written under, by its id: a former one of the same tenant, for instance. */
  readonly other?: (id: string) => ArchiveKey | undefined;
  /** In words, where a key was looked for beside these and is not there. */
  readonly lacks?: string;
  /** Rejects where it was destroyed since it was read: nobody could open what is written under it. */
  readonly stillThere?: () => Promise<void>;
}

/** KMS did not give or open a data key. */
export class KeyError extends OperationError {}

/** The key of that id: this one, or another that it knows. */
export function keyOf(key: ArchiveKey, id: string): ArchiveKey | undefined {
  return key.id === id ? key : key.other?.(id);
}

/** Several keys as one: the first is for what is written now, any of them opens what was written under it. */
export function keyRing(keys: readonly ArchiveKey[]): ArchiveKey {
  if (keys.length === 1) return keys[0]!;
  return { ...keys[0]!, other: (id) => keys.map((key) => keyOf(key, id)).find(Boolean) };
}

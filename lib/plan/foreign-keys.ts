import type { FoundResource } from './construct-arns';

/**
 * Resources whose backups cannot be copied to another account: those that are encrypted under a key that AWS manages,
 * and whose type keeps that key for its backups.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html
 */
export function withoutOwnKey(found: readonly FoundResource[]): FoundResource[] {
  return found.filter(({ resource, type }) => {
    if (type.vaultKey) return false;
    const { storageEncrypted, encrypted, kmsKeyId } = resource as unknown as Record<string, unknown>;
    if (typeof kmsKeyId === 'string') return /(^|:)alias\/aws\//.test(kmsKeyId);
    return (storageEncrypted === true || encrypted === true) && kmsKeyId === undefined;
  });
}

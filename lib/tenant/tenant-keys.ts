import type * as kms from 'aws-cdk-lib/aws-kms';

/** Under which keys tenants' archives are encrypted. */
export class TenantKeys {
  /**
   * One key of the regime for all, every use of which is bound to the tenant by the encryption context. No key to pay
   * for each tenant, and no way to make one tenant's archives unreadable alone.
   *
   * @param key a key of the archives' region; a new one, rotated yearly and retained, where none is given
   */
  public static sharedKey(key?: kms.IKey): TenantKeys {
    return new TenantKeys(false, key);
  }

  /**
   * A KMS key for each tenant, made before its first dump by a function that can do nothing else: destroying it
   * (`sovereign-backup erase`) makes all of the tenant's archives in AWS unreadable at once. KMS charges for each key,
   * and allows 100,000 in an account and region unless asked for more.
   *
   * @see https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
   */
  public static perTenant(): TenantKeys {
    return new TenantKeys(true);
  }

  /** Whether each tenant has a key of its own. */
  public readonly isPerTenant: boolean;

  /** The shared key, where one was given. */
  public readonly key?: kms.IKey;

  private constructor(isPerTenant: boolean, key?: kms.IKey) {
    this.isPerTenant = isPerTenant;
    this.key = key;
  }
}

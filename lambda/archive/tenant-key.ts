const plain = /^[a-z0-9_-]$/;

/**
 * A tenant's name as one safe path part: lower-case letters, digits, `_` and `-` stay, every other byte of its UTF-8
 * becomes `=` and two hexadecimal digits. It can be undone, differs for different names also on file systems that
 * fold case, holds no wildcard, and is a valid S3 key part, file name and STS session tag at once.
 */
export function tenantKey(tenant: string): string {
  let key = '';
  for (const byte of Buffer.from(tenant, 'utf8')) {
    const character = String.fromCharCode(byte);
    key += plain.test(character) ? character : `=${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }
  return key;
}

/** Whether a dump could have made a folder of that name: anything else in a store is not ours, and not shown either. */
export function isTenantKey(key: string): boolean {
  const tenant = tenantOfKey(key);
  return tenantKey(tenant) === key && !/\p{Cc}/u.test(tenant);
}

export function tenantOfKey(key: string): string {
  const bytes = key.replace(/=([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

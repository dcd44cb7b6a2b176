import { InputError } from '../errors.js';

/** So long a name that its key, three characters a byte at worst, still fits into one file name. */
const MAX_TENANT_BYTES = 80;

/** Refuses what cannot be a tenant's name anywhere; everything else works everywhere. */
export function checkTenant(tenant: string): void {
  checkName(tenant, 'a tenant name');
  const bytes = Buffer.byteLength(tenant);
  if (bytes > MAX_TENANT_BYTES)
    throw new InputError(
      `the tenant name has ${bytes} bytes in UTF-8; at most ${MAX_TENANT_BYTES} are allowed`,
    );
}

export function checkName(name: string, what: string): void {
  if (name === '') throw new InputError(`${what} cannot be empty`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name))
    throw new InputError(`${what} cannot hold control characters, got ${JSON.stringify(name)}`);
  if (Buffer.from(name).toString() !== name)
    throw new InputError(
      `${what} must be valid Unicode, got ${JSON.stringify(name)}, which has half a character`,
    );
}

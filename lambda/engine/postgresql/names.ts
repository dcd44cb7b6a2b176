import { createHash } from 'node:crypto';
import { InputError } from '../../errors.js';
import * as derived from '../derived-name.js';

/** PostgreSQL cuts longer names off without a word, which would make two tenants one. */
const limit: derived.NameLimit = { max: 63, length: Buffer.byteLength };

export function databaseName(name: string): string {
  const bytes = Buffer.byteLength(name);
  if (bytes > limit.max)
    throw new InputError(
      `the database name ${JSON.stringify(name)} has ${bytes} bytes in UTF-8; PostgreSQL allows ${limit.max}`,
    );
  return name;
}

export const restoreName = derived.restoreName.bind(undefined, limit);
export const undoName = derived.undoName.bind(undefined, limit);
export const isDerivedName = derived.isDerivedName.bind(undefined, limit);

/** The number of the advisory lock that all restores and undos of a database share. */
export function lockNumber(database: string): string {
  return createHash('sha256')
    .update(`sovereign-backup restore\0${database}`)
    .digest()
    .readBigInt64BE()
    .toString();
}

import { createHash } from 'node:crypto';
import { InputError } from '../../errors.js';

/** PostgreSQL cuts longer names off without a word, which would make two tenants one. */
const MAX_BYTES = 63;

export function databaseName(name: string): string {
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_BYTES)
    throw new InputError(
      `the database name ${JSON.stringify(name)} has ${bytes} bytes in UTF-8; PostgreSQL allows ${MAX_BYTES}`,
    );
  return name;
}

/** `acme__restore_1a2b3c4d`; a long name is cut between characters and told from its like by a hash. */
export function derivedName(database: string, suffix: string): string {
  if (Buffer.byteLength(database + suffix) <= MAX_BYTES) return database + suffix;
  const hash = `~${createHash('sha256').update(database).digest('hex').slice(0, 8)}`;
  let start = '';
  for (const character of database) {
    if (Buffer.byteLength(start + character + hash + suffix) > MAX_BYTES) break;
    start += character;
  }
  return start + hash + suffix;
}

export function restoreName(database: string, archive: string): string {
  return derivedName(database, `__restore_${archive.slice(-8)}`);
}

export function undoName(database: string, now: Date, random: string): string {
  const time = now.toISOString().slice(0, 19).replace(/[-:T]/g, '');
  return derivedName(database, `__undo_${time}_${random}`);
}

/** Whether the name is one that `restoreName` or `undoName` gives for this database. */
export function isDerivedName(name: string, kind: 'restore' | 'undo', database: string): boolean {
  const suffix = (kind === 'undo' ? /__undo_\d{14}_[0-9a-f]{4}$/ : /__restore_[0-9a-f]{8}$/).exec(name)?.[0];
  return suffix !== undefined && derivedName(database, suffix) === name;
}

/** The number of the advisory lock that all restores and undos of a database share. */
export function lockNumber(database: string): string {
  return createHash('sha256')
    .update(`sovereign-backup restore\0${database}`)
    .digest()
    .readBigInt64BE()
    .toString();
}

import { createHash } from 'node:crypto';
import { InputError } from '../../errors.js';

const MAX_CHARACTERS = 64;
/** A database is a folder: every character other than letters, digits and `_` takes five bytes in its name. */
const MAX_FILE_NAME = 250;
const SYSTEM = ['information_schema', 'mysql', 'performance_schema', 'sys'];

export function databaseName(name: string): string {
  const shown = JSON.stringify(name);
  if (SYSTEM.includes(name.toLowerCase()))
    throw new InputError(`${shown} is the server's own database; name a tenant's`);
  if (/[\u{10000}-\u{10ffff}]/u.test(name))
    throw new InputError(
      `the database name ${shown} holds a character beyond U+FFFF; MariaDB and MySQL allow none in names`,
    );
  if (name.endsWith(' '))
    throw new InputError(`the database name ${shown} ends with a space; MariaDB and MySQL allow none there`);
  if (!fits(name))
    throw new InputError(
      `the database name ${shown} is too long: ${MAX_CHARACTERS} characters are allowed, fewer where they are not a-z, 0-9 and _`,
    );
  return name;
}

export function isSystem(name: string): boolean {
  return SYSTEM.includes(name.toLowerCase());
}

function fits(name: string): boolean {
  const bytes = [...name].reduce((sum, character) => sum + (/\w/.test(character) ? 1 : 5), 0);
  return name.length <= MAX_CHARACTERS && bytes <= MAX_FILE_NAME;
}

/** `acme__restore_1a2b3c4d`; a long name is cut and told from its like by a hash. */
function derivedName(database: string, suffix: string): string {
  if (fits(database + suffix)) return database + suffix;
  const end = `_${createHash('sha256').update(database).digest('hex').slice(0, 8)}${suffix}`;
  let start = database;
  while (!fits(start + end)) start = start.slice(0, -1);
  return start + end;
}

export function restoreName(database: string, archive: string): string {
  return derivedName(database, `__restore_${archive.slice(-8)}`);
}

export function undoName(database: string, now: Date, random: string): string {
  const time = now.toISOString().slice(0, 19).replace(/[-:T]/g, '');
  return derivedName(database, `__undo_${time}_${random}`);
}

export type CopyKind = 'restore' | 'undo';
const SUFFIXES: Record<CopyKind, RegExp> = {
  restore: /__restore_[0-9a-f]{8}$/,
  undo: /__undo_\d{14}_[0-9a-f]{4}$/,
};

/** Whether the name is one that `restoreName` or `undoName` gives for this database. */
export function isDerivedName(name: string, kind: CopyKind, database: string): boolean {
  const suffix = SUFFIXES[kind].exec(name)?.[0];
  return suffix !== undefined && derivedName(database, suffix) === name;
}

/** Whether it is a copy's name, of whatever database. */
export function looksDerived(name: string): boolean {
  return Object.values(SUFFIXES).some((suffix) => suffix.test(name));
}

/** Of the lock that all restores and undos of a database share; at most 64 characters. */
export function lockName(database: string): string {
  return `sovereign-backup ${createHash('sha256').update(database).digest('hex').slice(0, 40)}`;
}

import { InputError } from '../../errors.js';
import * as derived from '../derived-name.js';

/** `sysname`: counted in UTF-16 units, as JavaScript counts. */
const limit: derived.NameLimit = { max: 128, length: (name) => name.length };

/** Databases of the server itself; a tenant's can have none of these names. */
const SYSTEM = ['master', 'model', 'msdb', 'tempdb', 'rdsadmin', 'distribution', 'mssqlsystemresource'];

export function databaseName(name: string): string {
  if (name.length > limit.max)
    throw new InputError(
      `the database name ${JSON.stringify(name)} has ${name.length} characters; SQL Server allows ${limit.max}`,
    );
  if (SYSTEM.includes(name.toLowerCase()))
    throw new InputError(`database ${JSON.stringify(name)} belongs to the server itself and is no tenant's`);
  return name;
}

export const isSystem = (name: string): boolean => SYSTEM.includes(name.toLowerCase());
export const restoreName = derived.restoreName.bind(undefined, limit);
export const undoName = derived.undoName.bind(undefined, limit);
export const isDerivedName = derived.isDerivedName.bind(undefined, limit);

/** A name between brackets, as QUOTENAME writes it: whatever is in it, it stays one name. */
export function quoteName(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

/** A text literal, for the few places where the grammar takes no parameter. */
export function quoteText(text: string): string {
  return `N'${text.replaceAll("'", "''")}'`;
}

/**
 * The pattern as every engine here understands it: `%`, `_`, and a backslash that takes them literally. SQL Server
 * knows `[a-z]` besides, which would make one pattern mean different databases on different servers.
 */
export function likePattern(pattern: string): string {
  return pattern.replaceAll('[', '\\[');
}

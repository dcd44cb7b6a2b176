import { InputError } from '../../errors.js';
import { type Connection, rows } from './connect.js';

/** Without these a dump would lack something, and the tools would not say so. */
const NEEDED = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT'];

/** Refuses a user to whom the server does not show all of the database. */
export async function checkPrivileges(
  client: Connection,
  database: string,
  needed: readonly string[] = NEEDED,
): Promise<void> {
  const grants = (await rows<Record<string, string>>(client, 'show grants')).map(
    (row) => Object.values(row)[0]!,
  );
  const held = new Set<string>();
  for (const grant of grants) {
    const [, list, on] = /^GRANT (.*?) ON (.*?) TO /.exec(grant) ?? [];
    // What a role may do is known to the server alone.
    if (!list || !on) return;
    if (!covers(on, database)) continue;
    for (const privilege of list.split(/,\s*(?![^(]*\))/)) held.add(privilege.trim().toUpperCase());
  }
  if (held.has('ALL PRIVILEGES')) return;
  const missing = needed.filter((name) => !held.has(name));
  if (missing.length > 0)
    throw new InputError(
      `the user lacks ${missing.join(', ')} on database ${JSON.stringify(database)}, without which parts of it are invisible and would be missing from the dump; GRANT ${[...needed, ...(needed === NEEDED ? ['LOCK TABLES'] : [])].join(', ')} ON the database to the user`,
    );
}

/** Whether `*.*`, or a database's name in which `%` and `_` are wildcards unless escaped. */
function covers(on: string, database: string): boolean {
  if (on === '*.*') return true;
  const pattern = /^`((?:[^`]|``)*)`\.\*$/.exec(on)?.[1]?.replaceAll('``', '`');
  if (pattern === undefined) return false;
  const shape = pattern.replace(/\\?[\s\S]/g, (part) => {
    if (part === '%') return '[\\s\\S]*';
    if (part === '_') return '[\\s\\S]';
    return part.replace(/^\\(?=[%_\\])/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${shape}$`).test(database);
}

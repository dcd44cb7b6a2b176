import { createHash } from 'node:crypto';

/** How long a database's name may be on a kind of server, and by what its length is measured. */
export interface NameLimit {
  readonly max: number;
  length(name: string): number;
}

/** `acme__restore_1a2b3c4d`; a long name is cut between characters and told from its like by a hash. */
export function derivedName(limit: NameLimit, database: string, suffix: string): string {
  if (limit.length(database + suffix) <= limit.max) return database + suffix;
  const hash = `~${createHash('sha256').update(database).digest('hex').slice(0, 8)}`;
  let start = '';
  for (const character of database) {
    if (limit.length(start + character + hash + suffix) > limit.max) break;
    start += character;
  }
  return start + hash + suffix;
}

export function restoreName(limit: NameLimit, database: string, archive: string): string {
  return derivedName(limit, database, `__restore_${archive.slice(-8)}`);
}

export function undoName(limit: NameLimit, database: string, now: Date, random: string): string {
  const time = now.toISOString().slice(0, 19).replace(/[-:T]/g, '');
  return derivedName(limit, database, `__undo_${time}_${random}`);
}

/** Whether the name is one that `restoreName` or `undoName` gives for this database. */
export function isDerivedName(
  limit: NameLimit,
  name: string,
  kind: 'restore' | 'undo',
  database: string,
): boolean {
  const suffix = (kind === 'undo' ? /__undo_\d{14}_[0-9a-f]{4}$/ : /__restore_[0-9a-f]{8}$/).exec(name)?.[0];
  return suffix !== undefined && derivedName(limit, database, suffix) === name;
}

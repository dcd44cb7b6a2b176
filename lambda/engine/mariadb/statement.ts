import { tokensOf } from './head.js';
import { UnreadableDump } from './scan.js';

/** What statements of a dump begin with. A dump of ours has no other; a spoilt one could reach other databases. */
const ALLOWED =
  /^(SET|CREATE|DROP (TABLE|VIEW|SEQUENCE|TRIGGER|EVENT|PROCEDURE|FUNCTION|PACKAGE|PACKAGE BODY) IF EXISTS|LOCK TABLES|UNLOCK TABLES|ALTER TABLE|ALTER DATABASE|DO SETVAL|SELECT SETVAL|START TRANSACTION|COMMIT)\b/i;

/** The first words of a statement; empty where it is all comment. Refuses what restoring would refuse. */
export function statementStart(sql: string): string {
  const start = tokensOf(sql, 5)
    .map(({ text }) => text)
    .join(' ')
    .replace(/\s+/g, ' ');
  if (start !== '' && !ALLOWED.test(start))
    throw new UnreadableDump(
      `it has a statement that no dump of one database has: ${JSON.stringify(start.slice(0, 200))}`,
    );
  return start;
}

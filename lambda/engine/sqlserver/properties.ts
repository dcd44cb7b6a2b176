import type { Omission } from '../engine.js';
import type { DatabaseInfo } from './server-facts.js';
import type { Session } from './session.js';

/** Logins that users of the connected database belong to; those without one are null. */
const USERS = `
  SELECT p.name, l.name AS login FROM sys.database_principals p
    LEFT JOIN sys.server_principals l ON l.sid = p.sid
  WHERE p.authentication_type IN (1, 3) AND p.principal_id > 4 ORDER BY p.name`;

export interface DatabaseUser {
  readonly name: string;
  readonly login: string | null;
}

export function usersOf(session: Session): Promise<DatabaseUser[]> {
  return session.query<DatabaseUser>(USERS);
}

/** Pages in use: what a backup copies. */
export async function bytesOf(session: Session): Promise<number> {
  const [row] = await session.query<{ bytes: number }>(
    'SELECT CONVERT(float, COALESCE(SUM(total_pages), 0)) * 8192 AS bytes FROM sys.allocation_units',
  );
  return row!.bytes;
}

/** What a native backup does not hold, or the server drops when it restores it. */
export function omissions(info: DatabaseInfo, inexact: readonly string[]): Omission[] {
  return [
    { what: 'logins and their passwords', why: 'they belong to the server, not to one database' },
    { what: 'jobs, linked servers and server settings', why: 'they belong to the server' },
    ...(info.encrypted
      ? [
          {
            what: 'the certificate of TDE',
            why: 'it belongs to the server, without which the backup is not readable',
          },
        ]
      : []),
    ...(info.trustworthy
      ? [{ what: 'the setting TRUSTWORTHY', why: 'the server turns it off when it restores' }]
      : []),
    ...(info.broker
      ? [{ what: 'the activation of Service Broker', why: 'the server turns it off when it restores' }]
      : []),
    ...(info.capture
      ? [{ what: 'change data capture', why: 'the server takes it out when it restores to another name' }]
      : []),
    ...(inexact.length > 0
      ? [
          {
            what: `exact row counts of ${inexact.length} tables`,
            why: `they were written to, or cannot be watched, while the server made its backup: ${inexact.slice(0, 20).join(', ')}${inexact.length > 20 ? ', …' : ''}`,
          },
        ]
      : []),
  ];
}

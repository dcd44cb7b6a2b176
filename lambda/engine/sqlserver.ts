import { type Engine, requireTenancy, type TenantScope } from './engine.js';
import type { ServerAddress } from './server.js';
import { addressOf } from './sqlserver/address.js';
import { dump } from './sqlserver/dump.js';
import { derivedDatabases, isLike, userDatabases } from './sqlserver/marks.js';
import { prepareRestore } from './sqlserver/restore.js';
import { Session } from './sqlserver/session.js';
import { undo } from './sqlserver/undo.js';

/** SQL Server on Amazon RDS, and SQL Server 2022 and newer elsewhere; one database per tenant, by its own backups. */
export const sqlserver: Engine = {
  name: 'sqlserver',
  schemes: ['sqlserver', 'mssql'],
  databases,
  dump: async (request) => dump(checked(request)),
  prepareRestore: async (request) => prepareRestore(checked(request)),
  undo: async (request) => undo(checked(request)),
};

function checked<Request extends { readonly scope: TenantScope }>(request: Request): Request {
  requireTenancy('SQL Server', request.scope, ['database']);
  return request;
}

async function databases(server: ServerAddress, pattern: string, signal?: AbortSignal): Promise<string[]> {
  const session = await Session.open(addressOf(server));
  try {
    const listed = await userDatabases(session, pattern);
    const derived = await derivedDatabases(session, listed);
    // A side copy is ours by its mark, or while it is being restored and cannot have one yet.
    const ours = derived.filter(({ mark, state }) => mark || state === 'RESTORING').map(({ name }) => name);
    const tenants = listed.filter(({ name, matches }) => matches === 1 && !ours.includes(name));
    const names = new Set(tenants.map(({ name }) => name));
    // A tenant whose name is missing only until somebody finishes its swap is still a tenant.
    for (const { mark } of derived) {
      signal?.throwIfAborted();
      if (mark?.swap && (await isLike(session, mark.database, pattern))) names.add(mark.database);
    }
    return [...names].sort();
  } finally {
    await session.close();
  }
}

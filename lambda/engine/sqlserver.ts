import { type Engine, requireTenancy, type TenantScope } from './engine.js';
import type { ServerAddress } from './server.js';
import { addressOf, type SqlServerAddress } from './sqlserver/address.js';
import { dump } from './sqlserver/dump.js';
import { nativeOf } from './sqlserver/maintenance.js';
import { derivedDatabases, isLike, userDatabases } from './sqlserver/marks.js';
import { prepareRestore } from './sqlserver/restore.js';
import { serverFacts } from './sqlserver/server-facts.js';
import { Session } from './sqlserver/session.js';
import { sizes } from './sqlserver/sizes.js';
import { Staging } from './sqlserver/staging.js';
import { undo } from './sqlserver/undo.js';

/** SQL Server on Amazon RDS, and SQL Server 2022 and newer elsewhere; one database per tenant, by its own backups. */
export const sqlserver: Engine = {
  name: 'sqlserver',
  databases,
  sizes,
  dump: async (request) => dump(checked(request)),
  prepareRestore: async (request) => prepareRestore(checked(request)),
  undo: async (request) => undo(checked(request)),
};

function checked<Request extends { readonly scope: TenantScope }>(request: Request): Request {
  requireTenancy('SQL Server', request.scope, ['database']);
  return request;
}

async function databases(server: ServerAddress, pattern: string, signal?: AbortSignal): Promise<string[]> {
  const address = addressOf(server);
  const session = await Session.open(address);
  try {
    const listed = await userDatabases(session, pattern);
    const derived = await derivedDatabases(session, listed);
    const ours = new Set<string>();
    for (const { name, mark, state } of derived) {
      signal?.throwIfAborted();
      if (mark || state === 'RESTORING' || (await cameFromStaging(session, address, name))) ours.add(name);
    }
    const tenants = listed.filter(({ name, matches }) => matches === 1 && !ours.has(name));
    const names = new Set(tenants.map(({ name }) => name));
    // A tenant whose name is missing only until somebody finishes its swap is still a tenant.
    for (const { mark } of derived)
      if (mark?.swap && (await isLike(session, mark.database, pattern))) names.add(mark.database);
    return [...names].sort();
  } finally {
    await session.close();
  }
}

/** A side copy has no mark yet for a moment; but the server knows from where it restored it. */
async function cameFromStaging(session: Session, address: SqlServerAddress, name: string): Promise<boolean> {
  const staging = Staging.named(address);
  if (!staging) return false;
  const native = nativeOf(session, address, staging, await serverFacts(session, address));
  return (await native.restoredFrom(name))?.startsWith(native.nameOf(staging.place.prefix)) ?? false;
}

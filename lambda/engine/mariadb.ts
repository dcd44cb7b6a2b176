import { type Engine, requireTenancy, type TenantScope } from './engine.js';
import { addressOf, connect, rows } from './mariadb/connect.js';
import { dump } from './mariadb/dump.js';
import { MARKER } from './mariadb/marks.js';
import { isSystem, looksDerived } from './mariadb/names.js';
import { prepareRestore } from './mariadb/restore.js';
import { catalog } from './mariadb/rows/catalog.js';
import { dumpRows } from './mariadb/rows/dump.js';
import { prepareRows, undoRows } from './mariadb/rows/restore.js';
import { HABITS } from './mariadb/rows/shared-rows.js';
import { tenants } from './mariadb/rows/tenants.js';
import { sizes } from './mariadb/sizes.js';
import { undo } from './mariadb/undo.js';
import type { ServerAddress } from './server.js';

/** MariaDB 10.6 and newer and MySQL 8: databases of tenants by the official client tools of each, shared tables by SELECT. */
export const mariadb: Engine = {
  name: 'mariadb',
  databases,
  habits: HABITS,
  catalog,
  tenants,
  // The official tools have no limit.
  dumpOptions: (tenancy) => (tenancy === 'rows' ? ['statementTimeout'] : []),
  limitsRestore: (tenancy) => tenancy === 'rows',
  sizes,
  async dump(request) {
    const { scope } = checked(request);
    return scope.tenancy === 'rows' ? dumpRows(request, scope) : dump(request);
  },
  async prepareRestore(request) {
    const { scope } = checked(request);
    return scope.tenancy === 'rows' ? prepareRows(request, scope) : prepareRestore(request);
  },
  async undo(request) {
    const { scope } = checked(request);
    return scope.tenancy === 'rows' ? undoRows(request, scope) : undo(request);
  },
};

function checked<Request extends { readonly scope: TenantScope }>(request: Request): Request {
  requireTenancy('MariaDB', request.scope, ['database', 'rows']);
  return request;
}

async function databases(server: ServerAddress, pattern: string): Promise<string[]> {
  const client = await connect(addressOf(server));
  try {
    const found = await rows<{ name: string; marked: string | number }>(
      client,
      `select schema_name as name, exists (select 1 from information_schema.tables
         where table_schema = schema_name and table_name = ?) as marked
       from information_schema.schemata where cast(schema_name as char character set utf8mb4) collate utf8mb4_bin like ?`,
      [MARKER, pattern],
    );
    return found
      .filter(({ name, marked }) => !isSystem(name) && !(Number(marked) === 1 && looksDerived(name)))
      .map(({ name }) => name)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  } finally {
    await client.end();
  }
}

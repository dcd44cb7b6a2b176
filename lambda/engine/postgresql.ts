import type { Engine } from './engine.js';
import { addressOf, connect } from './postgresql/connect.js';
import { dump } from './postgresql/dump.js';
import { markOf } from './postgresql/marks.js';
import { catalog } from './postgresql/rows/catalog.js';
import { dumpRows } from './postgresql/rows/dump.js';
import { sizes } from './postgresql/sizes.js';
import { tenants } from './postgresql/tenants.js';
import type { ServerAddress } from './server.js';

const restores = () => import('./postgresql/restores.js');

/** PostgreSQL 13 and newer: databases and schemas of tenants by the official client tools, shared tables by COPY. */
export const postgresql: Engine = {
  name: 'postgresql',
  databases,
  catalog,
  tenants,
  // Rows are read by one session of ours.
  dumpOptions: (tenancy) => (tenancy === 'rows' ? ['statementTimeout'] : ['jobs', 'statementTimeout']),
  // pg_restore switches the limit off.
  limitsRestore: (tenancy) => tenancy === 'rows',
  sizes,
  dump: (request) => (request.scope.tenancy === 'rows' ? dumpRows(request, request.scope) : dump(request)),
  async prepareRestore(request) {
    const { prepareRestore, prepareRows, prepareSchema } = await restores();
    const { scope } = request;
    if (scope.tenancy === 'rows') return prepareRows(request, scope);
    return scope.tenancy === 'schema' ? prepareSchema(request, scope) : prepareRestore(request);
  },
  async undo(request) {
    const { undo, undoRows, undoSchema } = await restores();
    const { scope } = request;
    if (scope.tenancy === 'rows') return undoRows(request, scope);
    return scope.tenancy === 'schema' ? undoSchema(request, scope) : undo(request);
  },
};

async function databases(server: ServerAddress, pattern: string): Promise<string[]> {
  const address = addressOf(server);
  const client = await connect(address, address.maintenance);
  try {
    const { rows } = await client.query<{ name: string; comment: string | null }>(
      `select datname as name, shobj_description(oid, 'pg_database') as comment from pg_database
       where datname like $1 and not datistemplate and datallowconn and datname <> $2 order by datname collate "C"`,
      [pattern, address.maintenance],
    );
    return rows.filter(({ comment }) => !markOf(comment)).map(({ name }) => name);
  } finally {
    await client.end();
  }
}

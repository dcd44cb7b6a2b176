// What tests of rows of shared tables need of each engine that has them.

import type { MariadbOptions } from '../../scripts/mariadb-server.mts';
import { ok, runCli } from './cli';
import { useMariadb } from './mariadb';
import * as mariadb from './mariadb-shared';
import { mariadbWorkspace } from './mariadb-tenants';
import { usePostgres } from './postgres';
import * as postgres from './shared';
import { type Workspace, workspace } from './tenants';

/** A server of each for the test file that asks, and the database `app` that tenants share. */
export function useShared(options: MariadbOptions = {}) {
  const onPostgres = usePostgres();
  const onMariadb = useMariadb(options);
  return {
    onPostgres,
    onMariadb,
    postgresql: {
      server: onPostgres,
      workspace: () => workspace(onPostgres),
      create: (name = 'app') => postgres.createShared(onPostgres(), name),
      run: (sql: string, database = 'app') => onPostgres().query(sql, [], database),
      rowsOf: (database = 'app') => postgres.rowsOf(onPostgres(), database),
    },
    mariadb: {
      server: onMariadb,
      workspace: () => mariadbWorkspace(onMariadb),
      create: (name = 'app') => mariadb.createShared(onMariadb(), name),
      run: (sql: string, database = 'app') => onMariadb().query(`set sql_mode = ''; ${sql}`, database),
      rowsOf: (database = 'app') => mariadb.rowsOf(onMariadb(), database),
    },
  };
}

/** Infers and reviews the description of a database, and says in which file it is. */
export async function described(
  work: Workspace,
  server: { readonly url: string },
  { database = 'app', column = 'tenant_id', change = (text: string) => text } = {},
): Promise<string> {
  const where = ['--server', server.url, '--database', database, '--column', column];
  const { stdout } = ok(await runCli(['tenancy', 'infer', ...where]));
  return postgres.writeDescription(work.folder, `${database}.yaml`, change(postgres.reviewed(stdout)));
}

import pg from 'pg';
import { InputError, OperationError, reasonOf } from '../../errors.js';
import type { EngineRestoreRequest, PreparedRestore } from '../engine.js';
import { checkContent } from './check.js';
import { type Clients, findClients, majorOf, versionIn } from './clients.js';
import { compareSides } from './compare.js';
import { addressOf, ConnectionLostError, connect, type PostgresAddress } from './connect.js';
import { checkExtensions } from './extensions.js';
import { loadDump } from './load.js';
import { openMaintenance } from './maintenance.js';
import { commentSql, databaseExists, type Mark, markedDatabases } from './marks.js';
import { lostWithLive, otherThanArchived } from './model.js';
import { moneySettings } from './money.js';
import { databaseName, restoreName } from './names.js';
import { FOLDER_FORMAT, STREAM_FORMAT } from './pg-dump.js';
import { type DatabaseProperties, propertiesOf } from './properties.js';
import { dropSubscriptions, stillReceiving } from './replication.js';
import { applyExpressionSettings, applySettings } from './settings.js';
import { closeSource, defaultJobs, openSource } from './spool.js';
import { swapDatabases } from './swap.js';
import { checkTablespaces } from './tablespaces.js';

const q = pg.escapeIdentifier;

export async function prepareRestore(request: EngineRestoreRequest): Promise<PreparedRestore> {
  const address = addressOf(request.server);
  const { tenant } = request;
  const database = databaseName(request.database);
  const side = restoreName(database, request.archive);
  const format = checkFormat(request);
  const say = request.phase ?? (() => {});
  let created = false;
  const enough = new AbortController();
  const { bytes = 0 } = request;
  const jobs = request.jobs ?? defaultJobs(bytes);
  // It takes its time, in which the server is asked and the side database made.
  const opening = openSource({
    ...request,
    format,
    bytes,
    jobs,
    signal: AbortSignal.any([enough.signal, ...(request.signal ? [request.signal] : [])]),
  });
  opening.catch(() => {});
  // Whatever fails first, it is waited for, and nothing stays open.
  const release = async () => {
    enough.abort();
    await opening.then(closeSource, () => {});
  };
  const client = await openMaintenance(address, database, say).catch(async (error) => {
    await release();
    throw error;
  });
  const discard = async () => {
    try {
      if (created) await dropDatabase(client, address, side);
      created = false;
    } finally {
      await client.end();
    }
  };
  try {
    const clients = await checkVersions(client, address, request);
    await checkReplaceable(client, address, database);
    const live = await propertiesOf(client, database);
    const model = live ?? archivedProperties(request);
    if (!request.noOwner) await checkRoles(client, [...request.facts.roles, model.owner]);
    await checkExtensions(client, request.facts.properties);
    if (request.keepAs !== undefined) await checkFree(client, request.keepAs);
    await dropLeftovers(client, address, database, side, say);
    say(
      `restoring into ${side}, beside ${live ? 'the live database' : 'nothing: the live database is gone'}`,
    );
    const spaces = await checkTablespaces(client, model, request.facts.properties);
    await client.query(createDatabaseSql(side, model, request.noOwner, spaces.ofDatabase));
    created = true;
    const mark: Mark = {
      tool: 'sovereign-backup',
      kind: 'restore',
      tenant,
      database,
      at: request.at.toISOString(),
      archive: request.archive,
    };
    await client.query(commentSql(side, JSON.stringify(mark)));
    await client.query(`revoke all on database ${q(side)} from public`);
    await applyExpressionSettings(client, side, model);
    const superusers = await superusersOf(client);
    const source = await opening;
    const warnings = await loadDump({
      ...request,
      address,
      clients,
      database: side,
      source,
      jobs,
      tables: request.tables.length,
      settings: moneySettings(request.facts.properties),
      noTablespaces: spaces.noTablespaces,
      superusers,
    });
    warnings.push(...spaces.warnings);
    const archived = request.facts.properties;
    warnings.push(...(live ? otherThanArchived(live, archived) : lostWithLive(archived)));
    if (request.keepAs === undefined) warnings.push(...(await stillReceiving(client, database)));
    say('loaded; comparing with the manifest');
    const checked = await checkContent(address, side, request, jobs);
    const { tables } = checked;
    warnings.push(...checked.warnings);
    warnings.push(...(await applySettings(client, side, model, { grants: !request.noOwner })));
    if (request.noOwner) warnings.push('restored without owners and grants, as asked for');
    say('the copy is good');
    return {
      side,
      liveExists: live !== undefined,
      endsSessions: true,
      tables,
      warnings,
      compare: (options) =>
        compareSides({ address, archive: { database: side }, live: { database }, ...options }),
      async swap() {
        try {
          const comment = model.comment ?? null;
          const outcome = await swapDatabases({ address, client, tenant, database, next: side, comment });
          created = false;
          return outcome;
        } finally {
          await discard().catch(() => {});
        }
      },
      async keepAs(name) {
        await checkFree(client, name);
        await client.query('begin');
        try {
          await client.query(`alter database ${q(side)} rename to ${q(name)}`);
          await client.query(commentSql(name, model.comment ?? null));
          await client.query('commit');
        } catch (error) {
          await client.query('rollback').catch(() => {});
          throw describe(error);
        }
        created = false;
        await client.end();
      },
      discard,
    };
  } catch (error) {
    await discard().catch(() => {});
    throw describe(error);
  } finally {
    await release();
  }
}

/** What could not be renamed in the end, or must not be. */
async function checkReplaceable(
  client: pg.Client,
  { maintenance }: PostgresAddress,
  database: string,
): Promise<void> {
  if (database === maintenance)
    throw new InputError(
      `database ${JSON.stringify(database)} is the one from which databases are made and renamed, so it cannot be restored itself; name another with maintenance_database=… in the server URL`,
    );
  const { rowCount } = await client.query('select from pg_database where datname = $1 and datistemplate', [
    database,
  ]);
  if (rowCount)
    throw new InputError(
      `database ${JSON.stringify(database)} is a template of the server, from which others are made; it is not replaced`,
    );
}

async function checkFree(client: pg.Client, name: string): Promise<void> {
  if (await databaseExists(client, databaseName(name)))
    throw new InputError(
      `database ${JSON.stringify(name)} exists and was not touched; name one that does not exist`,
    );
}

function describe(error: unknown): unknown {
  // What PostgreSQL itself said has a code of five characters; everything else already speaks for itself.
  if (!(error instanceof pg.DatabaseError || error instanceof ConnectionLostError)) return error;
  const mayNot = (error as { code?: string }).code === '42501';
  return new OperationError(
    `the restore failed: ${reasonOf(error)}; the live database was not touched` +
      (mayNot ? '; restore as a role with CREATEDB that is a member of the owners' : ''),
  );
}

/** Before anything is asked of the server. */
export function checkFormat({ facts: { format }, archive }: EngineRestoreRequest): string {
  if (format === STREAM_FORMAT || format === FOLDER_FORMAT) return format;
  throw new InputError(
    `archive ${archive} holds ${JSON.stringify(format)}, which this version of the tool does not restore; restore with the one that wrote it, or a newer one`,
  );
}

export async function checkVersions(
  client: pg.Client,
  address: PostgresAddress,
  request: EngineRestoreRequest,
): Promise<Clients> {
  const { rows } = await client.query<{ server_version: string }>('show server_version');
  const server = versionIn(rows[0]!.server_version);
  const { clientVersion, serverVersion } = request.facts;
  if (majorOf(serverVersion) > majorOf(server))
    throw new InputError(
      `the archive is of a server of version ${serverVersion}, and ${address.text} is version ${server}: PostgreSQL restores to the same or a newer version only`,
    );
  return findClients({
    major: majorOf(clientVersion),
    why: `the archive was written by pg_dump ${clientVersion}`,
  });
}

export async function checkRoles(client: pg.Client, roles: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'select name from unnest($1::text[]) as name where not exists (select from pg_roles where rolname = name) order by 1',
    [[...new Set(roles)]],
  );
  if (rows.length > 0)
    throw new InputError(
      `the archive needs roles that this server does not have: ${rows.map(({ name }) => JSON.stringify(name)).join(', ')}; ` +
        'create them, or restore with --no-owner, without owners and grants',
    );
}

async function superusersOf(client: pg.Client): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    'select rolname as name from pg_roles where rolsuper',
  );
  return new Set(rows.map(({ name }) => name));
}

/** For a live database that is gone: what the manifest says it was like. */
function archivedProperties({ facts, database }: EngineRestoreRequest): DatabaseProperties {
  const properties = facts.properties as unknown as DatabaseProperties;
  if (typeof properties.encoding !== 'string' || typeof properties.owner !== 'string')
    throw new InputError(
      `database ${JSON.stringify(database)} is not on the server, and the archive does not say how to create it; create an empty one first`,
    );
  return properties;
}

function createDatabaseSql(
  side: string,
  model: DatabaseProperties,
  noOwner: boolean,
  tablespace?: string,
): string {
  const literal = (value: string) => pg.escapeLiteral(value);
  const parts = [
    `create database ${q(side)} template template0 encoding ${literal(model.encoding)}`,
    `lc_collate ${literal(model.collate)} lc_ctype ${literal(model.ctype)}`,
    ...(noOwner ? [] : [`owner ${q(model.owner)}`]),
    ...(tablespace === undefined ? [] : [`tablespace ${q(tablespace)}`]),
  ];
  if (model.provider === 'i' && model.locale)
    parts.push(`locale_provider icu icu_locale ${literal(model.locale)}`);
  if (model.provider === 'i' && model.icuRules) parts.push(`icu_rules ${literal(model.icuRules)}`);
  if (model.provider === 'b' && model.locale)
    parts.push(`locale_provider builtin builtin_locale ${literal(model.locale)}`);
  return parts.join(' ');
}

/** We hold the lock, so a side database with our mark is what a killed restore left. */
async function dropLeftovers(
  client: pg.Client,
  address: PostgresAddress,
  database: string,
  side: string,
  say: (message: string) => void,
): Promise<void> {
  for (const { name } of await markedDatabases(client, 'restore', database)) {
    say(`dropping ${name}, which an interrupted restore left`);
    await dropDatabase(client, address, name);
  }
  if (!(await databaseExists(client, side))) return;
  // Killed between creating and marking: then it is empty.
  if (!(await isEmpty(address, side)))
    throw new InputError(
      `database ${JSON.stringify(side)} exists, holds data, and is not from this tool; rename it or drop it, then run again`,
    );
  await dropDatabase(client, address, side);
}

async function isEmpty(address: PostgresAddress, name: string): Promise<boolean> {
  const client = await connect(address, name);
  try {
    const { rows } = await client.query(
      `select 1 from pg_class where oid >= 16384 union all select 1 from pg_proc where oid >= 16384
       union all select 1 from pg_largeobject_metadata limit 1`,
    );
    return rows.length === 0;
  } finally {
    await client.end();
  }
}

async function dropDatabase(client: pg.Client, address: PostgresAddress, name: string): Promise<void> {
  await dropSubscriptions(client, address, name);
  await client.query(`drop database if exists ${q(name)} with (force)`);
}

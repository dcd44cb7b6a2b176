import pg from 'pg';
import { InputError, OperationError, reasonOf } from '../../../errors.js';
import type { EngineRestoreRequest, EngineUndoRequest, PreparedRestore, UndoOutcome } from '../../engine.js';
import { newestKept } from '../../mark.js';
import { differences } from '../../table-rows.js';
import { depthOf } from '../check.js';
import { fixOutput } from '../checksums.js';
import { majorOf, versionIn } from '../clients.js';
import { compareSides } from '../compare.js';
import { addressOf, connect } from '../connect.js';
import { checkExtensions } from '../extensions.js';
import { openMaintenance } from '../maintenance.js';
import type { Mark } from '../marks.js';
import { moneySettings } from '../money.js';
import { databaseName, restoreName } from '../names.js';
import { publishingAll } from '../replication.js';
import { checkFormat, checkRoles, checkVersions } from '../restore.js';
import { closeSource, openSource } from '../spool.js';
import { countTables } from '../tables.js';
import { dependenciesOf, missing, shortList } from './dependencies.js';
import { loadSchema } from './load.js';
import { markedSchemas, schemaComment, schemaOf } from './marks.js';
import { checkSchema, type SchemaProperties, type SchemaScope } from './part.js';
import { checkNeeded, swapSchemas } from './swap.js';

const q = pg.escapeIdentifier;

/** Restores a schema beside the live one, in the same database. */
export async function prepareSchema(
  request: EngineRestoreRequest,
  scope: SchemaScope,
): Promise<PreparedRestore> {
  const address = addressOf(request.server);
  const { tenant, signal } = request;
  const database = databaseName(request.database);
  const schema = checkSchema(scope.schema);
  const side = restoreName(schema, request.archive);
  const format = checkFormat(request);
  const say = request.phase ?? (() => {});
  const properties = request.facts.properties as unknown as SchemaProperties;
  const sessions = await openSessions(request, schema);
  const { client } = sessions;
  let created = false;
  const discard = async () => {
    try {
      if (created) await client.query(`drop schema if exists ${q(side)} cascade`);
      created = false;
    } finally {
      await sessions.close();
    }
  };
  try {
    const clients = await checkVersions(client, address, request);
    if (request.keepAs !== undefined) await checkFree(client, request.keepAs);
    if (!request.noOwner) await checkRoles(client, request.facts.roles);
    await checkExtensions(client, request.facts.properties);
    await checkRequired(client, properties);
    await checkNotSent(client);
    if (request.keepAs === undefined) await checkNeeded(client, schema);
    await dropLeftovers(client, schema, side, say);
    const live = await schemaOf(client, schema);
    say(`restoring into schema ${side}, beside ${live ? 'the live one' : 'nothing: the live one is gone'}`);
    const mark: Mark = {
      tool: 'sovereign-backup',
      kind: 'restore',
      tenant,
      database: schema,
      at: request.at.toISOString(),
      archive: request.archive,
    };
    // One session loads it, whatever number dumped it: all of it is one transaction.
    const source = await openSource({ ...request, format, bytes: request.bytes ?? 0, jobs: 1 });
    const { rows: version } = await client.query<{ version: string; guards: boolean }>(
      `select current_setting('server_version') as version, exists (select from pg_language
         where lanname = 'plpgsql' and has_language_privilege(oid, 'USAGE')) as guards`,
    );
    const aside = `sovereign aside ${request.archive.slice(-8)}`;
    const empty = await loadSchema({
      address,
      clients,
      database,
      serverMajor: majorOf(versionIn(version[0]!.version)),
      noOwner: request.noOwner,
      guards: version[0]!.guards,
      before: live ? [`alter schema ${q(schema)} rename to ${q(aside)}`] : [],
      after: [
        `alter schema ${q(schema)} rename to ${q(side)}`,
        schemaComment(side, JSON.stringify(mark)),
        ...(live ? [`alter schema ${q(aside)} rename to ${q(schema)}`] : []),
      ],
      source,
      settings: moneySettings(request.facts.properties),
      ...(signal ? { signal } : {}),
    }).finally(() => closeSource(source));
    created = true;
    say('loaded; counting rows');
    const { tables, warnings: differing } = await checkContent(client, side, request);
    const warnings = [...empty, ...differing, ...(await warningsOf(client, request.noOwner))];
    say('the copy is good');
    return {
      side,
      liveExists: live !== undefined,
      tables,
      warnings,
      compare: (options) =>
        compareSides({
          address,
          archive: { database, schema: side },
          live: { database, schema },
          ...options,
        }),
      async swap() {
        try {
          const comment = properties.comment ?? null;
          const outcome = await swapSchemas({
            client,
            tenant,
            schema,
            next: side,
            comment,
            ...(signal ? { signal } : {}),
          });
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
          await client.query(`alter schema ${q(side)} rename to ${q(name)}`);
          await client.query(schemaComment(name, properties.comment ?? null));
          await client.query('commit');
        } catch (error) {
          await client.query('rollback').catch(() => {});
          throw describe(error);
        }
        created = false;
        await sessions.close();
      },
      discard,
    };
  } catch (error) {
    await discard().catch(() => {});
    throw describe(error);
  }
}

function describe(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  return new OperationError(`the restore failed: ${reasonOf(error)}; the live schema was not touched`);
}

export async function undoSchema(request: EngineUndoRequest, scope: SchemaScope): Promise<UndoOutcome> {
  const schema = checkSchema(scope.schema);
  const sessions = await openSessions(request, schema);
  const { client } = sessions;
  try {
    const copies = await markedSchemas(client, 'undo', schema);
    const newest = await newestKept(
      copies,
      request,
      `schema ${JSON.stringify(schema)} in database ${JSON.stringify(request.database)}`,
      'schema',
    );
    const { undo } = await swapSchemas({
      client,
      tenant: request.tenant,
      schema,
      next: newest.name,
      comment: newest.mark.comment ?? null,
    });
    return {
      from: newest.name,
      keptSince: new Date(newest.mark.at),
      ...(undo === undefined ? {} : { undo }),
    };
  } finally {
    await sessions.close();
  }
}

/** The lock on this schema's restores, and the session that works. */
async function openSessions(
  request: Pick<EngineRestoreRequest, 'server' | 'database' | 'phase'>,
  schema: string,
) {
  const address = addressOf(request.server);
  const lock = await openMaintenance(address, `${request.database}, schema ${schema}`, request.phase);
  try {
    const client = await connect(address, databaseName(request.database));
    return {
      client,
      async close() {
        await Promise.all([client.end().catch(() => {}), lock.end().catch(() => {})]);
      },
    };
  } catch (error) {
    await lock.end().catch(() => {});
    throw error;
  }
}

async function checkFree(client: pg.Client, name: string): Promise<void> {
  checkSchema(name);
  if (await schemaOf(client, name))
    throw new InputError(
      `schema ${JSON.stringify(name)} exists and was not touched; name one that does not exist`,
    );
}

async function checkRequired(client: pg.Client, { required }: SchemaProperties): Promise<void> {
  const absent = await missing(client, Array.isArray(required) ? required : []);
  if (absent.length > 0)
    throw new InputError(
      `the archive needs objects of other schemas that this database does not have: ${shortList(absent)}; create them first; the live schema was not touched`,
    );
}

async function checkNotSent(client: pg.Client): Promise<void> {
  const publication = await publishingAll(client);
  if (publication !== undefined)
    throw new InputError(
      `publication ${JSON.stringify(publication)} is for all tables, and a replication slot of the database sends its subscribers all that is loaded beside the live schema, too: they would stop at it; drop the publication, and afterwards create it anew and refresh the subscriptions; nothing was loaded`,
    );
}

/** We hold the lock, so what carries our mark is what a killed restore left. */
async function dropLeftovers(
  client: pg.Client,
  schema: string,
  side: string,
  say: (message: string) => void,
) {
  for (const { name } of await markedSchemas(client, 'restore', schema)) {
    say(`dropping ${name}, which an interrupted restore left`);
    await client.query(`drop schema ${q(name)} cascade`);
  }
  if (await schemaOf(client, side))
    throw new InputError(
      `schema ${JSON.stringify(side)} exists and is not from this tool; rename it or drop it, then run again`,
    );
}

/** The copy against the manifest; what it needs from elsewhere against what was said; then statistics. */
async function checkContent(client: pg.Client, side: string, request: EngineRestoreRequest) {
  await fixOutput(client);
  const { depth, warnings } = await depthOf(client, request);
  const alive = () => request.signal?.throwIfAborted();
  const counted = await countTables(client, depth, alive, side);
  const expected = request.tables.map((table) => ({ ...table, schema: side }));
  const found = differences(expected, counted);
  if (found.length > 0)
    throw new OperationError(
      `the restored copy is not what the manifest says: ${shortList(found)}; the live schema was not touched`,
    );
  const { neededBy } = await dependenciesOf(client, side);
  if (neededBy.length > 0)
    throw new OperationError(
      `the restored copy is needed by objects elsewhere: ${shortList(neededBy)}; the live schema was not touched`,
    );
  for (const { name } of counted) await client.query(`analyze ${q(side)}.${q(name)}`);
  return { tables: request.tables, warnings };
}

async function warningsOf(client: pg.Client, noOwner: boolean): Promise<string[]> {
  const { rows } = await client.query<{ text: string }>(
    `select format('publication %I is for all tables: the restored schema''s are among them now', pubname) as text
       from pg_publication where puballtables
     union all select format('event trigger %I ran for what the restore created', evtname) from pg_event_trigger
       where evtenabled in ('O', 'A')
     order by 1`,
  );
  return [
    ...rows.map(({ text }) => text),
    ...(noOwner ? ['restored without owners and grants, as asked for'] : []),
  ];
}

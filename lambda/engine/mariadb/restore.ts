import { InputError, OperationError } from '../../errors.js';
import type { EngineRestoreRequest, PreparedRestore, TableRows } from '../engine.js';
import { listed } from '../listed.js';
import { depthFor, differences, refuseDifferences } from '../table-rows.js';
import { type DatabaseProperties, databaseProperties, readCatalog, refuseCapitals } from './catalog.js';
import { checksumsHere } from './checksums.js';
import { type Clients, findClients } from './clients.js';
import { compareDatabases } from './compare.js';
import {
  addressOf,
  type Connection,
  connect,
  explained,
  literal,
  type MariadbAddress,
  one,
  rows,
  type ServerFacts,
  seriesOf,
  serverFacts,
} from './connect.js';
import { countRows } from './counts.js';
import { definerRule } from './definers.js';
import { createHead, eventStatus, splice } from './head.js';
import { asTheyWere, type Loaded, loadDump } from './load.js';
import { openLocked } from './lock.js';
import { copiesOf, dropCopy, type Mark, writeMark } from './marks.js';
import { databaseName, restoreName } from './names.js';
import { createProgram, type Program, readPrograms, triggersOf } from './programs.js';
import { recover, rehearse, setPrograms, told } from './recover.js';
import { createDatabase, refuseForeignReferences, swapDatabases } from './swap.js';
import { tryTriggers } from './trial.js';

export async function prepareRestore(request: EngineRestoreRequest): Promise<PreparedRestore> {
  const address = addressOf(request.server);
  const { tenant } = request;
  const database = databaseName(request.database);
  const side = restoreName(database, request.archive);
  const say = request.phase ?? (() => {});
  const client = await openLocked(address, database, say);
  let created = false;
  const discard = async () => {
    try {
      if (created) await dropCopy(client, side);
      created = false;
    } finally {
      await client.end();
    }
  };
  try {
    const server = await serverFacts(client, address);
    const clients = await checkVersions(server, address, request);
    await refuseCapitals(client, database);
    await recover(client, database, say);
    const live = await databaseProperties(client, database);
    const model = live ?? archivedProperties(request);
    if (request.keepAs !== undefined) await checkFree(client, request.keepAs);
    if (request.swaps) await refuseForeignReferences(client, database);
    await dropLeftovers(client, database, side, say);
    say(
      `restoring into ${side}, beside ${live ? 'the live database' : 'nothing: the live database is gone'}`,
    );
    await createDatabase(client, side, model);
    created = true;
    const at = request.at.toISOString();
    const mark: Mark = {
      tool: 'sovereign-backup',
      kind: 'restore',
      tenant,
      database,
      at,
      archive: request.archive,
    };
    await writeMark(client, side, mark);
    const { tried, lost } =
      request.swaps && live ? await triedTriggers(client, database, side) : { tried: [], lost: [] };
    const rule = await definerRule(client, side, request.facts.roles, request.noOwner);
    const loaded = await loadDump({
      address,
      clients,
      encrypted: server.encrypted,
      database: side,
      rule,
      settings: await asTheyWere(client),
      packet: Number(
        (await one<{ packet: string | number }>(client, 'select @@global.max_allowed_packet as packet'))
          .packet,
      ),
      origin: String(request.facts.properties.database ?? database),
      open: request.open,
      ...(request.signal ? { signal: request.signal } : {}),
    });
    say('loaded; comparing it with the manifest');
    const checked = await checkContent(address, side, request, loaded);
    const { programs, warnings } = await programsOf(client, side, loaded);
    warnings.push(...lost, ...checked.warnings);
    if (rule.replaced.size > 0)
      warnings.push(
        `what ran in the name of ${[...rule.replaced].sort().join(', ')} runs in the name of the user who restored${request.noOwner ? ', as asked for' : ', who may not name others'}`,
      );
    say('the copy is good');
    const swap = { client, server, tenant, next: side, programs, tried };
    return {
      side,
      liveExists: live !== undefined,
      tables: checked.tables,
      warnings,
      compare: (options) => compareDatabases({ address, archive: side, live: database, ...options }),
      async swap() {
        try {
          const outcome = await swapDatabases({ ...swap, database, model, keep: live !== undefined });
          created = false;
          return outcome;
        } finally {
          await discard().catch(() => {});
        }
      },
      async keepAs(name) {
        await checkFree(client, name);
        await swapDatabases({ ...swap, database: name, model, keep: false });
        created = false;
        await client.end();
      },
      discard,
    };
  } catch (error) {
    await discard().catch(() => {});
    throw explained(error, 'the restore failed', 'the live database was not touched');
  }
}

/** What would keep the swap from being done is known before anything is loaded. */
async function triedTriggers(client: Connection, database: string, side: string) {
  const tried = triggersOf(await readPrograms(client, database));
  const broken = await tryTriggers({ client, database, copy: side, triggers: tried });
  const lost = broken.map(
    (failure) =>
      `${told(failure)}: it is broken in the live database, and nobody can make it again: undo leaves it out; its definition is ${failure.program.sql}`,
  );
  return { tried, lost };
}

async function checkFree(client: Connection, name: string): Promise<void> {
  await refuseCapitals(client, name);
  if (await databaseProperties(client, databaseName(name)))
    throw new InputError(
      `database ${JSON.stringify(name)} exists and was not touched; name one that does not exist`,
    );
}

async function checkVersions(
  server: ServerFacts,
  address: MariadbAddress,
  request: EngineRestoreRequest,
): Promise<Clients> {
  const { serverVersion, format } = request.facts;
  const mariadb = format === 'mariadb-dump';
  const brand = (yes: boolean) => (yes ? 'MariaDB' : 'MySQL');
  if (mariadb !== server.mariadb)
    throw new InputError(
      `the archive is of ${brand(mariadb)} ${serverVersion}, and ${address.text} is ${brand(server.mariadb)} ${server.version}: their dumps do not go into each other`,
    );
  if (seriesOf(serverVersion) > server.series)
    throw new InputError(
      `the archive is of a server of version ${serverVersion}, and ${address.text} is version ${server.version}: restore to the same or a newer version`,
    );
  return findClients(server, `the server at ${address.text} is version ${server.version}`);
}

/** For a live database that is gone: what the manifest says it was like. */
function archivedProperties({ facts, database }: EngineRestoreRequest): DatabaseProperties {
  const { characterSet, collation, comment } = facts.properties;
  if (typeof characterSet !== 'string' || typeof collation !== 'string')
    throw new InputError(
      `database ${JSON.stringify(database)} is not on the server, and the archive does not say how to create it; create an empty one first`,
    );
  return { charset: characterSet, collation, comment: typeof comment === 'string' ? comment : '' };
}

/** We hold the lock, so a side database with our mark is what a killed restore left. */
async function dropLeftovers(
  client: Connection,
  database: string,
  side: string,
  say: (message: string) => void,
): Promise<void> {
  for (const { name, mark } of await copiesOf(client, 'restore', database)) {
    if (!mark && name !== side) continue;
    if (!mark && !(await isEmpty(client, name)))
      throw new InputError(
        `database ${JSON.stringify(side)} exists, holds data, and is not from this tool; rename it or drop it, then run again`,
      );
    say(`dropping ${name}, which an interrupted restore left`);
    await endSessions(client, name);
    await dropCopy(client, name);
  }
}

async function isEmpty(client: Connection, name: string): Promise<boolean> {
  const catalog = await readCatalog(client, name);
  return !catalog || catalog.tables.length + catalog.programs.length === 0;
}

/** The client of a killed restore may still be loading what it had been given. */
async function endSessions(client: Connection, database: string): Promise<void> {
  const found = await rows<{ id: string | number }>(
    client,
    `select id as id from information_schema.processlist where db = ${literal(database)} and id <> connection_id()`,
  );
  for (const { id } of found) await client.query(`kill ${Number(id)}`).catch(() => {});
}

/** The copy against the manifest: every table with its rows and their content, every sequence, every program. */
async function checkContent(
  address: MariadbAddress,
  side: string,
  request: EngineRestoreRequest,
  { triggers, broken }: Loaded,
) {
  const client = await connect(address);
  const { properties } = request.facts;
  try {
    const catalog = (await readCatalog(client, side))!;
    await client.query('start transaction');
    const { depth, warnings } = await depthFor(request.checksums, () => checksumsHere(client));
    const counted = await countRows(client, {
      database: side,
      catalog,
      history: properties.history === true,
      depth,
      alive: () => request.signal?.throwIfAborted(),
    });
    const named = (tables: readonly TableRows[]) =>
      tables.map((table) => ({ ...table, schema: request.database }));
    const found = differences(named(request.tables), named(counted));
    const has = new Set([
      ...catalog.tables.filter(({ sequence }) => sequence).map(({ name }) => `sequence ${name}`),
      ...catalog.programs.map(({ kind, name }) => `${kind.toLowerCase()} ${name}`),
    ]);
    const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
    const wanted = [
      ...texts(properties.sequences).map((name) => `sequence ${name}`),
      ...texts(properties.programs),
    ];
    const lost = [...triggers].filter(([name]) => !has.has(`trigger ${name}`));
    const known = new Set(lost.length === broken.length ? lost.map(([name]) => `trigger ${name}`) : []);
    // An event whose only time has passed is dropped by the server as soon as it is created.
    found.push(
      ...wanted
        .filter((name) => !has.has(name) && !known.has(name) && !name.startsWith('event '))
        .map((name) => `${name} is missing`),
    );
    refuseDifferences(found);
    const told = lost.map(
      ([name, sql], at) =>
        `trigger ${name}: ${broken[at]}: it was broken already when it was dumped, and is not restored; its definition is ${sql}`,
    );
    return { tables: named(counted), warnings: [...warnings, ...told] };
  } finally {
    await client.end();
  }
}

/** What the side copy has beside tables, as the live database is to have it. */
async function programsOf(client: Connection, side: string, { events, checks }: Loaded) {
  const warnings: string[] = [];
  for (const program of await readPrograms(client, side)) {
    const check = program.kind === 'VIEW' && checks.get(program.name);
    if (check) await createProgram(client, { ...program, sql: `${program.sql} ${check}` });
  }
  const programs = (await readPrograms(client, side)).map((program): Program => {
    const status = events.get(program.name);
    const head = program.kind === 'EVENT' ? createHead(program.sql) : undefined;
    const at = head && eventStatus(head);
    return status && at ? { ...program, sql: splice(program.sql, at, status) } : program;
  });
  // As the swap makes them, which has no way back then. None may stay: a table that has a trigger cannot be moved.
  const failures = [...(await setPrograms(client, side, [])), ...(await rehearse(client, side, programs))];
  if (failures.length > 0)
    throw new OperationError(
      `what the archive has beside its tables was loaded, but cannot be made again for the swap: ${listed(failures.map(told))}; the live database was not touched`,
    );
  for (const name of events.keys()) {
    if (!programs.some((program) => program.kind === 'EVENT' && program.name === name))
      warnings.push(
        `event ${name} was to run once, at a time that has passed; the server does not take it again`,
      );
  }
  return { programs, warnings };
}

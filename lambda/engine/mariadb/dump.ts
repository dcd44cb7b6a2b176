import { InputError, OperationError, reasonOf } from '../../errors.js';
import type { DumpOutcome, EngineDump, EngineDumpRequest, Omission, TableRows } from '../engine.js';
import { listed } from '../listed.js';
import { differences } from '../table-rows.js';
import { startTool, type Tool } from '../tool.js';
import { openOutput, type ToolOutput } from '../tool-output.js';
import { type Catalog, changes, hasRows, omissions, readCatalog, refuseCapitals } from './catalog.js';
import { StatementCharset } from './charset.js';
import { checksumsHere } from './checksums.js';
import {
  type Clients,
  clientEnvironment,
  connectionArguments,
  findClients,
  installedClients,
} from './clients.js';
import {
  addressOf,
  type Connection,
  connect,
  explained,
  type MariadbAddress,
  one,
  type ServerFacts,
  serverFacts,
} from './connect.js';
import { countRows } from './counts.js';
import { nameHint, refuseEvents } from './events.js';
import { createHead, isRoutine } from './head.js';
import { losses } from './losses.js';
import { databaseName } from './names.js';
import { checkPrivileges } from './privileges.js';
import { READ_ROUTINES } from './programs.js';
import { DumpScanner, UnreadableDump } from './scan.js';
import { oneMoment } from './snapshot.js';
import { statementStart } from './statement.js';
import { toolReason } from './tool.js';
import { unwritten } from './unwritten.js';

/** From this version on, rows that a system-versioned table no longer has can be dumped and restored. */
const HISTORY = 1011;

export async function dump(request: EngineDumpRequest): Promise<EngineDump> {
  const address = addressOf(request.server);
  const database = databaseName(request.database);
  const installed = installedClients();
  const client = await connect(address);
  let dumper: Tool | undefined;
  let output: ToolOutput | undefined;
  try {
    const server = await serverFacts(client, address);
    await refuseCapitals(client, database);
    const catalog = await readCatalog(client, database);
    if (!catalog)
      throw new InputError(
        `there is no database ${JSON.stringify(database)} on ${address.text}, or its user may not see it; check the tenant's name, or give --database`,
      );
    await checkPrivileges(client, database);
    await refuseEvents(client, database);
    const why = `the server at ${address.text} is version ${server.version}`;
    const clients = await findClients(server, why, installed);
    const history =
      server.mariadb &&
      server.series >= HISTORY &&
      clients.series >= HISTORY &&
      !catalog.tables.some(({ numbered }) => numbered);
    const omitted = [...omissions(catalog, history), ...(await unwritten(client, database, catalog, server))];
    const reader = structureReader(clients);
    const opened = await openOutput((bytes) => reader.scanner.push(bytes));
    output = opened;
    const start = async () => {
      const args = dumpArguments({ address, server, clients, catalog, database, history });
      dumper = startTool(clients.dump, args, {
        env: clientEnvironment(address),
        stdio: ['ignore', opened.given, 'pipe'],
        buffered: true,
      });
      opened.given.destroy();
      // The tool writes its first bytes soon after it has taken its snapshot, or ends.
      await Promise.race([opened.began, dumper.exited.catch(() => {})]);
    };
    const moment = await oneMoment({ address, client, database, catalog, start });
    const { at } = await one<{ at: string }>(client, 'select sysdate(3) as at');
    await moment.release();
    return follow({
      request,
      address,
      client,
      server,
      clients,
      catalog,
      database,
      history,
      omitted,
      moment,
      at,
      dumper: dumper!,
      output,
      ...reader,
    });
  } catch (error) {
    dumper?.kill();
    output?.given.destroy();
    output?.close();
    await client.end().catch(() => {});
    throw explained(error, 'the dump failed', 'no archive was kept');
  }
}

interface Options {
  readonly address: MariadbAddress;
  readonly server: ServerFacts;
  readonly clients: Clients;
  readonly catalog: Catalog;
  readonly database: string;
  readonly history: boolean;
}

function dumpArguments({ address, server, clients, catalog, database, history }: Options): string[] {
  return [
    ...connectionArguments(clients, address, server.encrypted),
    '--single-transaction',
    '--quick',
    '--skip-lock-tables',
    // A lock on one table forbids the sequences that defaults of its columns ask.
    '--skip-add-locks',
    // Looking for them, MySQL 8's tool does not find a database with a quote in its name.
    ...(catalog.programs.some(({ kind }) => isRoutine(kind)) ? ['--routines'] : []),
    '--triggers',
    '--events',
    '--hex-blob',
    '--no-tablespaces',
    ...(clients.mariadb ? [] : ['--set-gtid-purged=OFF', '--column-statistics=0']),
    ...(history && catalog.tables.some(({ versioned }) => versioned) ? ['--dump-history'] : []),
    '--',
    database,
  ];
}

interface Following extends Options {
  readonly request: EngineDumpRequest;
  readonly client: Connection;
  readonly omitted: readonly Omission[];
  readonly moment: { readonly snapshot: string; readonly shared: boolean };
  readonly at: string;
  readonly dumper: Tool;
  readonly output: ToolOutput;
  readonly scanner: DumpScanner;
  /** What the dump creates, as `TABLE name`. */
  readonly created: ReadonlySet<string>;
}

/** Reads the dump as it passes, and refuses what restoring would refuse. */
function structureReader({ mariadb }: Pick<Clients, 'mariadb'>) {
  const created = new Set<string>();
  const charset = new StatementCharset(mariadb);
  const scanner = new DumpScanner({
    statement(sql) {
      const text = sql.subarray(0, 4096).toString('latin1');
      const start = statementStart(text);
      if (/^SET/i.test(start)) charset.hear(text);
      const head = /^CREATE/i.test(start) ? createHead(text, charset.named) : undefined;
      if (head) created.add(`${head.kind} ${head.name}`);
    },
  });
  return { scanner, created };
}

function follow(run: Following): EngineDump {
  const {
    request,
    client,
    server,
    clients,
    catalog,
    database,
    history,
    moment,
    dumper,
    output,
    scanner,
    created,
  } = run;
  const { signal } = request;
  const stop = () => dumper.kill();
  signal?.addEventListener('abort', stop, { once: true });

  const finished = (async () => {
    const alive = () => signal?.throwIfAborted();
    const dumped = async () => {
      const code = await dumper.exited;
      alive();
      if (code === 0) return;
      const reason = toolReason(dumper.said());
      throw new OperationError(`${toolName(clients)} failed: ${reason}${nameHint(database, reason)}`);
    };
    const read = async () => {
      try {
        await output.ended.catch(async (error) => {
          // Of what broke off, the tool has the reason; that it cannot be read is one by itself.
          if (!(error instanceof UnreadableDump)) await dumped();
          throw error;
        });
        await dumped();
        scanner.end();
      } catch (error) {
        alive();
        throw error instanceof UnreadableDump
          ? new OperationError(`the dump could not be read back: ${error.message}`)
          : error;
      }
      return tablesIn(scanner, catalog, database);
    };
    const counted = async (): Promise<Partial<DumpOutcome>> => {
      const depth = moment.shared ? (request.options?.checksums ?? 'content') : 'rows';
      try {
        const counting = { database, catalog, history, depth, alive };
        const omitted = await losses(client, { ...counting, tool: toolName(clients) });
        if (!moment.shared) return { omitted };
        const checksums = depth === 'content' ? { checksums: await checksumsHere(client) } : {};
        return {
          tables: await countRows(client, counting),
          ...checksums,
          omitted,
        };
      } catch (error) {
        alive();
        const instead = depth === 'content' ? '; --checksums rows takes no checksums of them' : '';
        throw new OperationError(`the rows could not be counted: ${reasonOf(error)}${instead}`);
      }
    };
    try {
      const [tables, counts] = await Promise.all([read(), counted()]);
      await client.query('commit');
      const changed = changes(catalog, await readCatalog(client, database));
      if (changed.length > 0)
        throw new OperationError(
          `while the database was dumped, this was changed in it: ${listed(changed)}; no archive was kept: run again when nobody alters tables`,
        );
      const wanted = [
        ...catalog.tables.map(({ name, sequence }) => `${sequence ? 'SEQUENCE' : 'TABLE'} ${name}`),
        ...catalog.programs.map(({ kind, name }) => `${kind} ${name}`),
      ];
      const missing = wanted.filter((name) => !created.has(name));
      if (missing.length > 0)
        throw new OperationError(
          `the dump lacks ${listed(missing)}; grant the user the right to read them (routines of other accounts: ${READ_ROUTINES})`,
        );
      const off = counts.tables ? differences(counts.tables, tables) : [];
      if (off.length > 0)
        throw new OperationError(
          `the dump does not hold what the server counted: ${listed(off)}; no archive was kept`,
        );
      return { tables, ...counts };
    } catch (error) {
      stop();
      signal?.throwIfAborted();
      throw explained(error, 'the dump failed', 'no archive was kept');
    }
  })();
  finished.catch(() => {});

  return {
    facts: {
      at: new Date(`${run.at.replace(' ', 'T')}Z`),
      serverVersion: `${server.version}${server.mariadb ? '-MariaDB' : ''}`,
      clientVersion: `${clients.version}${clients.mariadb ? '-MariaDB' : ''}`,
      format: toolName(clients),
      snapshot: moment.snapshot,
      estimatedBytes: catalog.bytes,
      roles: catalog.definers,
      omitted: run.omitted,
      properties: {
        database,
        characterSet: catalog.charset,
        collation: catalog.collation,
        comment: catalog.comment,
        history,
        sequences: catalog.tables.filter(({ sequence }) => sequence).map(({ name }) => name),
        programs: catalog.programs.map(({ kind, name }) => `${kind.toLowerCase()} ${name}`),
      },
    },
    stream: output.blocks(),
    finished,
    async close() {
      signal?.removeEventListener('abort', stop);
      stop();
      output.close();
      await client.end().catch(() => {});
    },
  };
}

/** As a manifest says by which tool a dump was made. */
export function toolName({ mariadb }: Pick<Clients, 'mariadb'>): string {
  return mariadb ? 'mariadb-dump' : 'mysqldump';
}

/** Rows of each table as they stand in the dump. */
function tablesIn(scanner: DumpScanner, catalog: Catalog, database: string): TableRows[] {
  return catalog.tables
    .filter(hasRows)
    .map(({ name }) => ({ schema: database, name, rows: scanner.rows.get(name) ?? 0 }));
}

import type { Readable } from 'node:stream';
import { OperationError } from '../../errors.js';
import { feed, startTool } from '../tool.js';
import { StatementCharset } from './charset.js';
import { type Clients, clientEnvironment, connectionArguments } from './clients.js';
import type { Connection, MariadbAddress } from './connect.js';
import { type DefinerRule, withDefiner } from './definers.js';
import {
  asBytes,
  createHead,
  eventStatus,
  splice,
  tokensOf,
  unqualifiedTrigger,
  unqualifiedView,
} from './head.js';
import { DumpScanner, UnreadableDump } from './scan.js';
import { statementStart } from './statement.js';
import { toolReason } from './tool.js';

/** What was found in a dump while it was loaded. */
export interface Loaded {
  /** Whether each event runs; beside the live database none does. */
  readonly events: ReadonlyMap<string, string>;
  /** What each view with a check option says of it; its copy has none yet. */
  readonly checks: ReadonlyMap<string, string>;
  /** Statements of triggers, in their order. */
  readonly triggers: ReadonlyMap<string, string>;
  /** Why some of them, in the same order, are not there: they were broken already when they were dumped. */
  readonly broken: readonly string[];
}

interface Finding extends Loaded {
  readonly events: Map<string, string>;
  readonly checks: Map<string, string>;
  readonly triggers: Map<string, string>;
  readonly broken: string[];
}

/** It names a column that its table has no more: the tools dump it, and no server makes it. */
const BROKEN_TRIGGER = /^ERROR 1054 \(42S22\) at line \d+: (.*'(?:NEW|OLD)'.*)$/;

interface Adaptation {
  readonly clients: Pick<Clients, 'mariadb'>;
  readonly rule: DefinerRule;
  readonly origin: string;
  /** So long may a statement be. */
  readonly packet: number;
}

const SPARED = [
  'innodb_strict_mode',
  'check_constraint_checks',
  'sql_require_primary_key',
  'sql_generate_invisible_primary_key',
];

/**
 * What a server may want of new rows and tables today, and of those in an archive did not: to fit a page, to fulfil a
 * CHECK, a primary key, one that it adds by itself. Resolves to the settings that spare them; not every user may make each, nor has each server all.
 */
export async function asTheyWere(client: Connection): Promise<string[]> {
  const made: string[] = [];
  for (const name of SPARED)
    await client.query(`set session ${name} = 0`).then(
      () => made.push(`${name} = 0`),
      () => {},
    );
  return made;
}

/** Streams a dump into the client, which is stopped at the first error that is no broken trigger's. */
export async function loadDump(request: {
  readonly address: MariadbAddress;
  readonly clients: Clients;
  readonly encrypted: boolean;
  readonly database: string;
  readonly rule: DefinerRule;
  /** Of `asTheyWere`. */
  readonly settings: readonly string[];
  /** The server's `max_allowed_packet`. */
  readonly packet: number;
  /** The database that the dump is of. */
  readonly origin: string;
  readonly open: () => Promise<Readable>;
  readonly signal?: AbortSignal;
}): Promise<Loaded> {
  const { address, clients, database, signal } = request;
  const found: Finding = { events: new Map(), checks: new Map(), triggers: new Map(), broken: [] };
  let failed = false;
  const limit = clients.mariadb ? 'max_statement_time = 0' : 'max_execution_time = 0';
  const args = [
    ...connectionArguments(clients, address, request.encrypted),
    // Commands of the client, such as the one that starts a shell, are then nothing but text.
    '--binary-mode',
    '--batch',
    '--comments',
    '--force',
    // A statement that fails is full of a tenant's data, and may be long.
    ...(clients.mariadb ? ['--loose-skip-print-query-on-error'] : []),
    `--init-command=set session ${[limit, ...request.settings].join(', ')}`,
    `--database=${database}`,
  ];
  const dump = await request.open();
  const tool = startTool(clients.shell, args, {
    env: clientEnvironment(address),
    stdio: ['pipe', 'ignore', 'pipe'],
    line(line) {
      const reason = BROKEN_TRIGGER.exec(line)?.[1];
      if (reason !== undefined) found.broken.push(reason);
      else if (line.startsWith('ERROR')) {
        failed = true;
        tool.kill();
      }
    },
  });
  const abort = () => tool.kill();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const fed = feed(adapted(dump, request, found), tool);
    fed.catch(() => tool.kill());
    const [feeding, ended] = await Promise.allSettled([fed, tool.exited]);
    signal?.throwIfAborted();
    if (feeding.status === 'rejected') throw feeding.reason;
    if (failed || ended.status === 'rejected' || ended.value !== 0) {
      const said = tool.said().split('\n');
      const reason = toolReason(said.filter((line) => !BROKEN_TRIGGER.test(line)).join('\n'));
      throw new OperationError(
        `loading the dump failed: ${reason}; the live database was not touched${hint(reason)}`,
      );
    }
    return found;
  } finally {
    signal?.removeEventListener('abort', abort);
    dump.destroy();
    tool.kill();
  }
}

/** The dump as it is to be loaded beside the live database: nothing in it names that one, and no event runs. */
async function* adapted(
  dump: Readable,
  how: Adaptation,
  found: Finding,
): AsyncGenerator<Buffer, void, undefined> {
  let out: Buffer[] = [];
  const charset = new StatementCharset(how.clients.mariadb);
  const scanner = new DumpScanner({
    statement(sql, delimiter) {
      const text = adaptedStatement(sql.toString('latin1'), how, found, charset);
      const unmixed = charset.unmixed(text);
      const whole =
        unmixed === undefined ? text : `SET character_set_client = utf8mb4${delimiter}\n${unmixed}`;
      out.push(Buffer.from(`${whole}${delimiter}\n`, 'latin1'));
    },
    // Parts of what came in, which nobody uses again: not to be copied more than they must.
    rows: (bytes) => out.push(bytes),
    delimiter: (delimiter) => out.push(Buffer.from(`\nDELIMITER ${delimiter}\n`)),
  });
  try {
    for await (const chunk of dump as AsyncIterable<Buffer>) {
      scanner.push(chunk);
      // Of what is longer the server says no more than that it has gone away.
      if (scanner.longest.bytes >= how.packet)
        throw new OperationError(
          `rows of table ${JSON.stringify(scanner.longest.table)} come in a statement that is longer than this server takes, with max_allowed_packet = ${how.packet} (the tools write bytes as two digits each); set it to as much as 1073741824 on the server for the time of the restore, then run again; the live database was not touched`,
        );
      const block = out.length === 1 ? out[0]! : Buffer.concat(out);
      out = [];
      if (block.length > 0) yield block;
    }
    scanner.end();
  } catch (error) {
    throw error instanceof UnreadableDump
      ? new OperationError(
          `the dump in the archive is not one: ${error.message}; the live database was not touched`,
        )
      : error;
  }
  if (out.length > 0) yield Buffer.concat(out);
}

/** As the tools write it behind a view. */
const CHECK = /\/\*!50002 (WITH (?:CASCADED|LOCAL) CHECK OPTION) ?\*\/\s*$/;

function adaptedStatement(
  sql: string,
  { rule, origin }: Adaptation,
  { events, checks, triggers }: Finding,
  charset: StatementCharset,
): string {
  const start = statementStart(sql);
  if (/^ALTER DATABASE/i.test(start)) {
    // Names the live one; without a name it is the one that is loaded.
    const [, , name] = tokensOf(sql, 3);
    return name?.kind === 'quoted' ? splice(sql, name, '') : sql;
  }
  // Of a 31st of February, which such a mode lets in, zeros would be loaded; of an engine that is not there, another one.
  if (/^SET/i.test(start)) {
    charset.hear(sql);
    return sql.replace(
      /(@OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO)'/,
      "$1,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'",
    );
  }
  if (!/^CREATE/i.test(start)) return sql;
  // A trigger that was made among several statements keeps its semicolon in MySQL, and ends too early when made again.
  const text = withDefiner(sql, rule).replace(/;(\s*(?:\*\/)?\s*)$/, '$1');
  const head = createHead(text, charset.named);
  if (!head)
    throw new UnreadableDump(`it creates what no dump of one database has: ${JSON.stringify(start)}`);
  if (head.kind === 'TRIGGER') {
    const trigger = unqualifiedTrigger(text);
    triggers.set(head.name, asBytes(trigger));
    return trigger;
  }
  if (head.kind === 'VIEW') {
    // Views come in the order of their names: one that this one reads may still be a stand-in, which nobody can write to.
    const check = CHECK.exec(text);
    if (check) checks.set(head.name, check[1]!);
    const whole = check ? text.slice(0, check.index) : text;
    return unqualifiedView(whole, Buffer.from(origin).toString('latin1'));
  }
  if (head.kind !== 'EVENT') return text;
  const status = eventStatus(head);
  if (!status) throw new UnreadableDump(`event ${JSON.stringify(head.name)} does not say whether it runs`);
  events.set(head.name, status.text);
  return splice(text, status, 'DISABLE');
}

function hint(said: string): string {
  if (/\b(1419|1418)\b/.test(said))
    return '; the server keeps a binary log: set log_bin_trust_function_creators = 1 on it, or restore as a user with SUPER';
  if (/\b(1227|1044|1142)\b/.test(said))
    return '; restore as a user with all rights on databases of this name and its copies, or with --no-owner';
  return '';
}

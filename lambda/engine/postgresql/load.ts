import { join } from 'node:path';
import { OperationError } from '../../errors.js';
import { feed, startTool } from '../tool.js';
import { type Clients, clientEnvironment, connectionString, LOADING, READING } from './clients.js';
import type { PostgresAddress } from './connect.js';
import { Refusals } from './refusals.js';
import type { DumpSource } from './spool.js';
import { toolReason } from './tool.js';

/**
 * Safe for a database that is thrown away if anything fails: the swap's own commit waits for the disk, and with it
 * for everything before it.
 */
const OPTIONS = `${LOADING} -c synchronous_commit=off -c lock_timeout=0`;

/** A newer client speaks of what an older server does not know, and nothing is lost by it. */
const UNKNOWN_TO_OLDER = /unrecognized configuration parameter "transaction_timeout"/;

/** Gives a dump to pg_restore, which stops at the first error that matters. Resolves to warnings. */
export async function loadDump(request: {
  readonly address: PostgresAddress;
  readonly clients: Clients;
  readonly database: string;
  readonly noOwner: boolean;
  /** Put all that has a tablespace of its own into the database's. */
  readonly noTablespaces: boolean;
  /** Owners that the role that restores can never give anything to. */
  readonly superusers: ReadonlySet<string>;
  readonly source: DumpSource;
  /** More settings of its sessions, as PGOPTIONS has them. */
  readonly settings: string;
  /** Sessions that load at once, where the source is no stream. */
  readonly jobs: number;
  /** How many tables there are. */
  readonly tables: number;
  readonly phase?: (message: string) => void;
  readonly signal?: AbortSignal;
}): Promise<string[]> {
  const { address, clients, database, signal, source } = request;
  const refusals = new Refusals(request.superusers);
  let latest = '';
  let tolerated = 0;
  let fatal = '';
  const parallel = 'stream' in source ? [] : [`--jobs=${request.jobs}`, '--verbose'];
  const args = [
    `--format=${'folder' in source ? 'directory' : 'custom'}`,
    ...READING,
    ...(request.noOwner ? ['--no-owner', '--no-acl'] : []),
    ...(request.noTablespaces ? ['--no-tablespaces'] : []),
    '--no-password',
    `--dbname=${connectionString(address, database)}`,
    ...parallel,
    ...('file' in source ? ['/proc/self/fd/3'] : 'folder' in source ? [source.path] : []),
  ];
  const told = progressTeller(request.tables, request.phase);
  const tool = startTool(join(clients.folder, 'pg_restore'), args, {
    env: clientEnvironment(address, OPTIONS + request.settings),
    stdio: [
      'stream' in source ? 'pipe' : 'ignore',
      'ignore',
      'pipe',
      ...('file' in source ? [source.file.fd] : []),
    ],
    // Its sessions are processes of its own, which end with it only as a group.
    group: !('stream' in source),
    line(line) {
      told(line);
      if (UNKNOWN_TO_OLDER.test(line)) {
        tolerated += 1;
        return;
      }
      if (line.startsWith('pg_restore: error:')) latest = line.replace('pg_restore: error: ', '');
      const verdict = refusals.hear(line);
      if (verdict === 'tolerated') tolerated += 1;
      else if (verdict === 'fatal' && !fatal) {
        fatal = latest;
        // What follows the first line says more; then there is nothing to wait for.
        setTimeout(() => tool.kill(), 100);
      }
    },
  });
  const abort = () => tool.kill();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const fed = 'stream' in source ? feed(source.stream, tool) : Promise.resolve();
    fed.catch(() => tool.kill());
    const [feeding, ended] = await Promise.allSettled([fed, tool.exited]);
    signal?.throwIfAborted();
    if (feeding.status === 'rejected') throw feeding.reason;
    const code = ended.status === 'fulfilled' ? ended.value : -1;
    const ignored = Number(/errors ignored on restore: (\d+)/.exec(tool.said())?.[1] ?? 0);
    // Of several sessions it counts an item once that had errors, and never those of a session's own start.
    const asHeard = parallel.length > 0 ? ignored > 0 && ignored <= tolerated : ignored === tolerated;
    if (fatal || refusals.undecided || code < 0 || (code !== 0 && !asHeard))
      throw new OperationError(
        `pg_restore failed: ${toolReason(sinceFatal(tool.said(), fatal))}; the live database was not touched${hint(tool.said())}`,
      );
    return refusals.warnings();
  } finally {
    signal?.removeEventListener('abort', abort);
    tool.kill();
  }
}

const TELL_EVERY_MS = 10_000;

/** Says now and then how far a load by several sessions is: of a file, no stream tells. */
function progressTeller(tables: number, phase: (message: string) => void = () => {}) {
  let loaded = 0;
  let others = 0;
  let said = performance.now();
  return (line: string) => {
    const finished = /^pg_restore: finished item \d+ (TABLE DATA)?/.exec(line);
    if (!finished) return;
    if (finished[1]) loaded += 1;
    else others += 1;
    if (performance.now() - said < TELL_EVERY_MS) return;
    said = performance.now();
    phase(`loaded ${loaded} of ${tables} tables, and ${others} indexes, constraints and others`);
  };
}

/** What was passed over before it is not the reason. */
function sinceFatal(said: string, fatal: string): string {
  return fatal ? said.slice(Math.max(0, said.lastIndexOf(`pg_restore: error: ${fatal}`))) : said;
}

function hint(said: string): string {
  if (/must be (able to SET ROLE|member of role)|role .* does not exist|must be owner/.test(said))
    return '; restore as a role that is a member of the owners, or with --no-owner';
  return '';
}

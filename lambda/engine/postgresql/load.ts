import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { OperationError } from '../../errors.js';
import { type Clients, clientEnvironment, connectionString } from './clients.js';
import type { PostgresAddress } from './connect.js';
import { Refusals } from './refusals.js';
import { startTool, toolReason } from './tool.js';

/**
 * Safe for a database that is thrown away if anything fails: the swap's own commit waits for the disk, and with it
 * for everything before it.
 */
const OPTIONS =
  '-c synchronous_commit=off -c maintenance_work_mem=128MB -c statement_timeout=0 -c lock_timeout=0';

/** A newer client speaks of what an older server does not know, and nothing is lost by it. */
const UNKNOWN_TO_OLDER = /unrecognized configuration parameter "transaction_timeout"/;

/** Streams a dump into pg_restore, which stops at the first error that matters. Resolves to warnings. */
export async function loadDump(request: {
  readonly address: PostgresAddress;
  readonly clients: Clients;
  readonly database: string;
  readonly noOwner: boolean;
  /** Put all that has a tablespace of its own into the database's. */
  readonly noTablespaces: boolean;
  /** Owners that the role that restores can never give anything to. */
  readonly superusers: ReadonlySet<string>;
  readonly open: () => Promise<Readable>;
  readonly signal?: AbortSignal;
}): Promise<string[]> {
  const { address, clients, database, signal } = request;
  const refusals = new Refusals(request.superusers);
  let latest = '';
  let tolerated = 0;
  let fatal = '';
  const args = [
    '--format=custom',
    ...(request.noOwner ? ['--no-owner', '--no-acl'] : []),
    ...(request.noTablespaces ? ['--no-tablespaces'] : []),
    '--no-password',
    `--dbname=${connectionString(address, database)}`,
  ];
  const dump = await request.open();
  const tool = startTool(join(clients.folder, 'pg_restore'), args, {
    env: clientEnvironment(address, OPTIONS),
    stdio: ['pipe', 'ignore', 'pipe'],
    line(line) {
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
    const fed = pipeline(dump, tool.child.stdin!);
    fed.catch(() => tool.kill());
    const [feeding, ended] = await Promise.allSettled([fed, tool.exited]);
    signal?.throwIfAborted();
    // A stream that failed is the cause; a pipe that broke is what follows from pg_restore's own end.
    if (feeding.status === 'rejected' && !brokenPipe(feeding.reason)) throw feeding.reason;
    const code = ended.status === 'fulfilled' ? ended.value : -1;
    const ignored = Number(/errors ignored on restore: (\d+)/.exec(tool.said())?.[1] ?? 0);
    if (
      fatal ||
      refusals.undecided ||
      feeding.status === 'rejected' ||
      code < 0 ||
      (code !== 0 && ignored !== tolerated)
    )
      throw new OperationError(
        `pg_restore failed: ${toolReason(sinceFatal(tool.said(), fatal))}; the live database was not touched${hint(tool.said())}`,
      );
    return refusals.warnings();
  } finally {
    signal?.removeEventListener('abort', abort);
    dump.destroy();
    tool.kill();
  }
}

/** What was passed over before it is not the reason. */
function sinceFatal(said: string, fatal: string): string {
  return fatal ? said.slice(Math.max(0, said.lastIndexOf(`pg_restore: error: ${fatal}`))) : said;
}

function brokenPipe(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
    (error as { code?: string }).code ?? '',
  );
}

function hint(said: string): string {
  if (/must be (able to SET ROLE|member of role)|role .* does not exist|must be owner/.test(said))
    return '; restore as a role that is a member of the owners, or with --no-owner';
  return '';
}

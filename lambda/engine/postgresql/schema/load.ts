import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InputError, OperationError } from '../../../errors.js';
import { feed, startTool } from '../../tool.js';
import { type Clients, clientEnvironment, connectionString, LOADING, READING } from '../clients.js';
import type { PostgresAddress } from '../connect.js';
import type { StreamOrFolder } from '../spool.js';
import { toolReason } from '../tool.js';
import { guardedRefresh, leftEmpty } from './refresh.js';

/**
 * Loads a dump of one schema under another name, in one transaction: it begins with `before`, which moves the live
 * schema out of the way, and ends with `after`, which moves it back and the loaded one aside. Nobody sees the live
 * schema gone, for nothing of this is committed but its outcome; and every name in the dump means what it meant when
 * it was dumped, because the server itself reads it under the name that it had. Resolves to warnings.
 */
export async function loadSchema(request: {
  readonly address: PostgresAddress;
  readonly clients: Clients;
  readonly database: string;
  readonly serverMajor: number;
  readonly noOwner: boolean;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Pass over materialized views that cannot be computed. */
  readonly guards: boolean;
  readonly source: StreamOrFolder;
  /** More settings of the session that loads, as PGOPTIONS has them. */
  readonly settings: string;
  readonly signal?: AbortSignal;
}): Promise<string[]> {
  const { address, clients, signal, source } = request;
  const path = join(clients.folder, 'psql');
  if (!existsSync(path))
    throw new InputError(`psql was not found beside pg_restore in ${clients.folder}; install it there`);
  const reader = startTool(
    join(clients.folder, 'pg_restore'),
    [
      `--format=${'folder' in source ? 'directory' : 'custom'}`,
      '--file=-',
      ...READING,
      ...(request.noOwner ? ['--no-owner', '--no-acl'] : []),
      ...('folder' in source ? [source.path] : []),
    ],
    { env: clientEnvironment(address), stdio: ['folder' in source ? 'ignore' : 'pipe', 'pipe', 'pipe'] },
  );
  const warnings: string[] = [];
  const writer = startTool(
    path,
    [
      '-X',
      '-q',
      '-w',
      '-o',
      '/dev/null',
      '-v',
      'ON_ERROR_STOP=1',
      '-d',
      connectionString(address, request.database),
    ],
    {
      env: clientEnvironment(address, `${LOADING} -c lock_timeout=60s${request.settings}`),
      stdio: ['pipe', 'ignore', 'pipe'],
      line(line) {
        const warning = leftEmpty(line);
        if (warning !== undefined) warnings.push(warning);
      },
    },
  );
  const stop = () => {
    reader.kill();
    writer.kill();
  };
  signal?.addEventListener('abort', stop, { once: true });
  const script = writer.child.stdin!;
  script.on('error', () => {});
  try {
    script.write(`begin;\n${request.before.map((statement) => `${statement};\n`).join('')}`);
    const fed = 'stream' in source ? feed(source.stream, reader) : Promise.resolve();
    const written = pipeline(
      reader.child.stdout!,
      withoutUnknown(request.serverMajor),
      request.guards ? guardedRefresh() : new PassThrough(),
      script,
      { end: false },
    );
    // Whichever of them ends first in error ends the others.
    writer.exited.then(stop, stop);
    for (const each of [fed, written]) each.catch(stop);
    const [feeding, reading] = await Promise.allSettled([fed, reader.exited, written]);
    signal?.throwIfAborted();
    if (feeding.status === 'rejected') throw feeding.reason;
    if (reading.status === 'fulfilled' && reading.value !== 0)
      throw new OperationError(
        `pg_restore failed: ${toolReason(reader.said())}; the live schema was not touched`,
      );
    const whole = reading.status === 'fulfilled';
    // Without this there is no commit: whatever broke off above leaves nothing.
    if (whole) script.end(`${request.after.map((statement) => `${statement};\n`).join('')}commit;\n`);
    else script.destroy();
    const code = await writer.exited.catch(() => -1);
    signal?.throwIfAborted();
    if (!whole || code !== 0)
      throw new OperationError(
        `the dump could not be loaded: ${toolReason(writer.said().replace(/^psql:<stdin>:\d+: /gm, ''))}; the live schema was not touched${hint(writer.said())}`,
      );
    return warnings;
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
    if (writer.child.exitCode === null && writer.child.signalCode === null) await once(writer.child, 'close');
  }
}

/** A newer pg_dump sets what an older server does not know; it stands in the first lines. */
function withoutUnknown(serverMajor: number): Transform {
  let head: Buffer | undefined = Buffer.alloc(0);
  const done = (bytes: Buffer) =>
    serverMajor >= 17
      ? bytes
      : Buffer.from(bytes.toString('latin1').replace(/^SET transaction_timeout = 0;$/m, ''), 'latin1');
  return new Transform({
    transform(chunk: Buffer, _encoding, next: TransformCallback) {
      if (head === undefined) return next(null, chunk);
      head = Buffer.concat([head, chunk]);
      if (head.length < 4096) return next();
      const bytes = done(head);
      head = undefined;
      return next(null, bytes);
    },
    flush(next) {
      next(null, head === undefined ? undefined : done(head));
    },
  });
}

function hint(said: string): string {
  if (/must be (able to SET ROLE|member of role)|role .* does not exist|must be owner/.test(said))
    return '; restore as a role that is a member of the owners, or with --no-owner';
  if (/permission denied for database/.test(said)) return '; the role needs CREATE on the database';
  return '';
}

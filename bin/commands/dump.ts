import { count } from '../count.js';
import {
  checksumsOption,
  parseCount,
  parseRate,
  parseWhole,
  type StoresOptions,
  withJson,
  withKeyOptions,
  withPolicy,
  withServer,
  withStores,
} from '../local/options.js';
import { readScope, type ScopeOptions, withOutside, withScope } from '../local/scope.js';
import type { Register } from './register.js';

interface DumpOptions extends StoresOptions, ScopeOptions {
  readonly server: string;
  readonly database?: string;
  readonly policy?: string;
  readonly patience?: number;
  readonly replica?: string;
  readonly checksums?: 'rows' | 'content';
  readonly level?: number;
  readonly limitRate?: number;
  readonly jobs?: number;
  readonly statementTimeout?: number;
  readonly json?: boolean;
}

export const dump: Register = (program) => {
  const command = program
    .command('dump')
    .description("dump one tenant's database into a new archive, encrypted and checked")
    .argument('<tenant>', "the tenant's name")
    .option('--replica <url>', 'read replica to dump from; --server is dumped from only where that fails')
    .addOption(
      checksumsOption(
        "what the manifest says of each table's rows: their number, or also a checksum of their content (default: content)",
      ),
    )
    .option('--level <n>', "zstd's level of compression (default: 2)", parseWhole(1, 19))
    .option('--limit-rate <rate>', 'bytes per second to write at most: 500k, 20M', parseRate)
    .option(
      '--jobs <n>',
      'sessions that read at once, by way of a temporary folder on local disk; PostgreSQL, databases and schemas (default: 1)',
      parseWhole(1, 64),
    )
    .option(
      '--statement-timeout <seconds>',
      'cancel a statement that takes longer, and give the dump up; PostgreSQL, and rows of shared tables (default: no limit)',
      parseWhole(1, 31_536_000),
    );
  withJson(
    withKeyOptions(
      withPolicy(withStores(withOutside(withScope(withServer(command))))),
      'or one for each store, in the same order',
    ),
  )
    .option(
      '--patience <seconds>',
      'how long one of several stores may hold up the others in all (default: 300)',
      parseCount,
    )
    .addHelpText(
      'after',
      `
The dump is read in one snapshot, read back while it is written, and its rows are counted in the same snapshot.
Only when all of that agrees is there an archive; what fails on the way leaves none.

With --jobs, pg_dump writes to a folder that only its user can open, under TMPDIR or /var/tmp, with room for the size that the
database or schema has; there the dump lies unencrypted until it is done. However the run ends, the folder is removed.

Several stores are fed from one read of the database, which is encrypted once for each key. A store that fails, or
holds up the others for too long, is without this archive, and exit code 3 says so; the others have it whole.

The password comes from PGPASSWORD or ~/.pgpass, of MariaDB and MySQL from MYSQL_PWD. A name that begins with a dash goes after --.

Examples:
  sovereign-backup dump acme --server postgres://backup@127.0.0.1:5432 --store /backup --key-file backup.key
  sovereign-backup dump acme --database acme_prod --server postgres://backup@db:5432 --store /backup --key-file backup.key --json
  sovereign-backup dump acme --server postgres://backup@db:5432 --store /backup --key-file backup.key \\
    --store 's3://copies/?region=fr-par&endpoint=https://s3.fr-par.scw.cloud&country=FR&write-only=true' --key-file off-site.key`,
    )
    .action(async (tenant: string, options: DumpOptions) => {
      const {
        checkResidency,
        CopyMissingError,
        dumpTenant,
        interruptible,
        openTargets,
        parseServer,
        size,
        Terminal,
      } = await import('../local/parts.js');
      const scope = await readScope(options, tenant);
      const keys = options.keyFile ?? options.keyDir ?? options.kmsKey ?? [];
      await checkResidency({ ...options, kmsKey: keys }, ...options.store);
      const terminal = new Terminal();
      let missing: Error | undefined;
      const result = await interruptible(async (signal) =>
        dumpTenant({
          tenant,
          server: parseServer(options.server),
          ...(options.replica === undefined ? {} : { replica: parseServer(options.replica) }),
          options: {
            ...(options.checksums === undefined ? {} : { checksums: options.checksums }),
            ...(options.level === undefined ? {} : { level: options.level }),
            ...(options.limitRate === undefined ? {} : { bytesPerSecond: options.limitRate }),
            ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
            ...(options.statementTimeout === undefined ? {} : { statementTimeout: options.statementTimeout }),
          },
          ...(options.database === undefined ? {} : { database: options.database }),
          ...(scope === undefined ? {} : { scope }),
          ...(await openTargets(tenant, options)),
          ...(options.patience === undefined ? {} : { patience: options.patience * 1000 }),
          progress: terminal.progress,
          signal,
        }),
      ).catch((error) => {
        if (!(error instanceof CopyMissingError)) throw error;
        // Some stores have it: what is there is a result, and what is not is a failure.
        missing = error;
        return error.result;
      });
      terminal.endLine();
      if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      else
        process.stdout.write(
          `${result.archive}  ${count(result.tables.length, 'table')}, ${size(result.plainBytes)} dumped, ${size(result.bytes)} kept, ${result.seconds.toFixed(1)} s\n`,
        );
      if (missing) throw missing;
    });
};

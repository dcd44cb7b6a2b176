import type { SqlServerAddress } from './address.js';
import { quoteText } from './names.js';
import type { BackupFacts, Native, NativeRequest } from './native.js';
import { type Session, SqlError } from './session.js';
import type { Staging } from './staging.js';
import { cancelTask, isRunning, runTask, tasksOf } from './tasks.js';

/** Amazon RDS for SQL Server: its own procedures, which run as tasks of the instance. */
export class RdsNative implements Native {
  constructor(
    private readonly session: Session,
    private readonly address: SqlServerAddress,
    private readonly staging: Staging,
  ) {}

  public nameOf(key: string): string {
    return this.staging.arn(key);
  }

  public async endLeftovers(database: string, folder: string): Promise<void> {
    const ours = this.nameOf(folder);
    for (const task of await tasksOf(this.session, database)) {
      if (isRunning(task) && task.object.startsWith(ours)) await cancelTask(this.session, task.id);
    }
  }

  public async backup(request: NativeRequest): Promise<BackupFacts> {
    const task = await this.run('backup', request, {
      sql: `EXEC msdb.dbo.rds_backup_database @source_db_name = @database, @s3_arn_to_backup_to = @object,
              @overwrite_s3_backup_file = 0, @type = N'FULL', @enable_bucket_default_encryption = 1${keyClause(request)}`,
      clean: () => this.staging.remove(request.key),
    });
    return { task: task.id };
  }

  public async restore(request: NativeRequest): Promise<void> {
    await this.run('restore', request, {
      sql: `EXEC msdb.dbo.rds_restore_database @restore_db_name = @database, @s3_arn_to_restore_from = @object,
              @with_norecovery = 0, @type = N'FULL'${keyClause(request)}`,
      clean: async () => {},
    });
  }

  private run(
    what: 'backup' | 'restore',
    { database, key, kmsKey, signal, progress }: NativeRequest,
    how: { readonly sql: string; readonly clean: () => Promise<void> },
  ) {
    return runTask({
      session: this.session,
      what,
      sql: how.sql,
      parameters: { database, object: this.nameOf(key), ...(kmsKey ? { key: kmsKey } : {}) },
      stalledAfter: this.address.stalledAfter,
      clean: how.clean,
      ...(signal ? { signal } : {}),
      ...(progress ? { progress } : {}),
    });
  }

  /** RDS lets some logins check and others not; it has checked the backup's own structure while restoring. */
  public async check(database: string, signal?: AbortSignal): Promise<string[]> {
    try {
      await this.session.batch(checkSql(database), signal);
      return [];
    } catch (error) {
      if (!(error instanceof SqlError) || !PERMISSION.includes(error.number)) throw error;
      return [`DBCC CHECKDB was not allowed on RDS (${error.message}), so the pages were not read once more`];
    }
  }

  public renameSql(from: string, to: string): string {
    return `EXEC rdsadmin.dbo.rds_modify_db_name ${quoteText(from)}, ${quoteText(to)}`;
  }

  public async drop(database: string): Promise<void> {
    await this.session.query('EXEC msdb.dbo.rds_drop_database @db_name = @database', { database });
  }

  public async restoredFrom(database: string): Promise<string | undefined> {
    const restores = (await tasksOf(this.session, database)).filter(({ type }) =>
      type.startsWith('RESTORE_DB'),
    );
    return restores.sort((a, b) => b.id - a.id)[0]?.object;
  }
}

function keyClause({ kmsKey }: NativeRequest): string {
  return kmsKey ? ', @kms_master_key_arn = @key' : '';
}

const PERMISSION = [229, 262, 297, 300, 916, 2557, 2571, 7983, 15247];

export function checkSql(database: string): string {
  return `DBCC CHECKDB (${quoteText(database)}) WITH NO_INFOMSGS, ALL_ERRORMSGS`;
}

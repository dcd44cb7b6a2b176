import { randomBytes } from 'node:crypto';
import { OperationError } from '../../errors.js';
import { explainTask } from './explain.js';
import { quoteName, quoteText } from './names.js';
import type { BackupFacts, Native, NativeRequest } from './native.js';
import { checkSql } from './rds.js';
import { databaseInfo } from './server-facts.js';
import { type Row, type Session, SqlError, type Value } from './session.js';
import type { Staging } from './staging.js';

/** SQL Server 2022 and newer anywhere: its own statements, which run as long as their session lives. */
export class SelfHostedNative implements Native {
  constructor(
    private readonly session: Session,
    private readonly staging: Staging,
  ) {}

  public nameOf(key: string): string {
    return this.staging.url(key);
  }

  /** A dead client's statement ends with its session, which held the lock that we hold now. */
  public async endLeftovers(): Promise<void> {}

  public async backup({ database, key, signal }: NativeRequest): Promise<BackupFacts> {
    const url = this.nameOf(key);
    await this.run(
      'backup',
      `BACKUP DATABASE @database TO URL = @url WITH COPY_ONLY, FORMAT, COMPRESSION, CHECKSUM, STOP_ON_ERROR,
         MAXTRANSFERSIZE = 20971520${this.options('BACKUP_OPTIONS')}`,
      { database, url },
      signal,
    );
    // Reads the object back, page checksums included.
    await this.run('backup', this.reading('VERIFYONLY', 'WITH CHECKSUM'), { url }, signal);
    const [header] = await this.run('backup', this.reading('HEADERONLY'), { url }, signal);
    checkHeader(header, database);
    // Numbers of 25 digits, which only text carries whole.
    const [facts] = await this.session.query<Row>(
      `SELECT TOP (1) CONVERT(nvarchar(30), b.first_lsn) AS firstLsn, CONVERT(nvarchar(30), b.last_lsn) AS lastLsn,
              CONVERT(nvarchar(30), b.checkpoint_lsn) AS checkpointLsn
       FROM msdb.dbo.backupset b JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = b.media_set_id
       WHERE f.physical_device_name = @url ORDER BY b.backup_set_id DESC`,
      { url },
    );
    return { ...facts };
  }

  public async restore(request: NativeRequest & { readonly archive: string }): Promise<void> {
    const { database, key, archive, signal } = request;
    const url = this.nameOf(key);
    await this.run('restore', this.reading('VERIFYONLY', 'WITH CHECKSUM'), { url }, signal);
    const files = await this.run('restore', this.reading('FILELISTONLY'), { url }, signal);
    const moves = await this.moves(files, archive);
    await this.run(
      'restore',
      `RESTORE DATABASE @database FROM URL = @url WITH CHECKSUM, ${moves.join(', ')}, RECOVERY${this.options('RESTORE_OPTIONS')}`,
      { database, url },
      signal,
    );
  }

  /** Every file gets a name of its own: those of the live database and of kept copies are taken. */
  private async moves(files: readonly Row[], archive: string): Promise<string[]> {
    const [folders] = await this.session.query<{ data: string; log: string }>(
      `SELECT CONVERT(nvarchar(512), SERVERPROPERTY('InstanceDefaultDataPath')) AS data,
              CONVERT(nvarchar(512), SERVERPROPERTY('InstanceDefaultLogPath')) AS [log]`,
    );
    const stem = `sovereign_${archive.slice(-8)}_${randomBytes(4).toString('hex')}`;
    return files.map((file, index) => {
      const type = String(file.Type).trim();
      const folder = type === 'L' ? folders!.log : folders!.data;
      const ending = { L: '.ldf', D: index === 0 ? '.mdf' : '.ndf' }[type] ?? '';
      const path = `${withSeparator(folder)}${stem}_${index + 1}${ending}`;
      return `MOVE ${quoteText(String(file.LogicalName))} TO ${quoteText(path)}`;
    });
  }

  private reading(what: string, clause = ''): string {
    const options = this.options('RESTORE_OPTIONS');
    const clauses = clause ? `${clause}${options}` : options.replace(/^, /, 'WITH ');
    return `RESTORE ${what} FROM URL = @url ${clauses}`.trim();
  }

  /** Without a region the server signs for us-east-1, which other regions refuse. */
  private options(name: 'BACKUP_OPTIONS' | 'RESTORE_OPTIONS'): string {
    return `, ${name} = '${JSON.stringify({ s3: { region: this.staging.place.region } })}'`;
  }

  private async run(
    what: 'backup' | 'restore',
    sql: string,
    parameters: Readonly<Record<string, Value>>,
    signal?: AbortSignal,
  ): Promise<Row[]> {
    try {
      return await this.session.query(sql, parameters, signal);
    } catch (error) {
      throw error instanceof SqlError ? explainTask(what, error.message, error.number) : error;
    }
  }

  public async check(database: string, signal?: AbortSignal): Promise<string[]> {
    await this.session.batch(checkSql(database), signal);
    return [];
  }

  public renameSql(from: string, to: string): string {
    return `ALTER DATABASE ${quoteName(from)} MODIFY NAME = ${quoteName(to)}`;
  }

  public async drop(database: string): Promise<void> {
    const info = await databaseInfo(this.session, database);
    // One that is still being restored has no sessions, and takes no settings.
    const alone =
      info?.state === 'ONLINE'
        ? `ALTER DATABASE ${quoteName(database)} SET SINGLE_USER WITH ROLLBACK IMMEDIATE; `
        : '';
    await this.session.batch(`${alone}DROP DATABASE IF EXISTS ${quoteName(database)}`);
  }

  public async restoredFrom(database: string): Promise<string | undefined> {
    const [found] = await this.session.query<{ device: string }>(
      `SELECT TOP (1) f.physical_device_name AS device FROM msdb.dbo.restorehistory r
         JOIN msdb.dbo.backupset b ON b.backup_set_id = r.backup_set_id
         JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = b.media_set_id
       WHERE r.destination_database_name = @database ORDER BY r.restore_history_id DESC`,
      { database },
    );
    return found?.device;
  }
}

function withSeparator(folder: string): string {
  return /[\\/]$/.test(folder) ? folder : `${folder}${folder.includes('\\') ? '\\' : '/'}`;
}

/** A backup that says anything but good of itself is none. */
function checkHeader(header: Row | undefined, database: string): void {
  if (!header || String(header.DatabaseName).toLowerCase() !== database.toLowerCase())
    throw new OperationError(`the backup says that it is of ${JSON.stringify(header?.DatabaseName ?? null)}`);
  if (header.IsDamaged) throw new OperationError('the server says that its backup is damaged');
  if (!header.HasBackupChecksums) throw new OperationError('the backup holds no checksums');
}

// Statements that do: settings, renames, backups and restores by statement and by the procedures of Amazon RDS.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from './catalogue';
import type { ModelDatabase } from './model';
import { type Answer, type Rule, rows, rule, table } from './rules';
import { ServerError } from './tokens';

const denied = (what: string) => new ServerError(262, `${what} permission denied in database 'master'.`, 14);

function rdsOnly({ server }: Host, procedure: string): void {
  if (!server.rds || server.withoutOption)
    throw new ServerError(2812, `Could not find stored procedure '${procedure}'.`);
}
function notOnRds({ server }: Host, what: string): void {
  if (server.rds) throw denied(what);
}

function setAccess(host: Host, name: string, access: ModelDatabase['access']): void {
  const { model } = host.server;
  const database = model.open(name);
  if (access === 'SINGLE_USER') model.endSessions(database, host.session);
  database.access = access;
}

/** Elementary statements of batches, and batches that are one of them. */
export const batches: readonly Rule<Host>[] = [
  rule(
    'ALTER DATABASE <name> SET SINGLE_USER WITH ROLLBACK IMMEDIATE',
    (host, { found }) => setAccess(host, found[0]!, 'SINGLE_USER'),
    { batch: true },
  ),
  rule(
    'ALTER DATABASE <name> SET MULTI_USER',
    (host, { found }) => setAccess(host, found[0]!, 'MULTI_USER'),
    { batch: true },
  ),
  rule(
    'ALTER DATABASE <name> MODIFY NAME = <name>',
    (host, { found }) => {
      notOnRds(host, 'ALTER DATABASE MODIFY NAME');
      host.server.model.rename(found[0]!, found[1]!, host.session);
    },
    { batch: true },
  ),
  rule(
    'EXEC rdsadmin.dbo.rds_modify_db_name <text>, <text>',
    (host, { found }) => {
      rdsOnly(host, 'rdsadmin.dbo.rds_modify_db_name');
      host.server.model.rename(found[0]!, found[1]!, host.session);
    },
    { batch: true },
  ),
  rule(
    'DROP DATABASE IF EXISTS <name>',
    (host, { found }) => {
      notOnRds(host, 'DROP DATABASE');
      if (host.server.model.find(found[0]!)) host.server.model.drop(found[0]!, host.session);
    },
    { batch: true },
  ),
  rule(
    'ALTER AUTHORIZATION ON DATABASE::<name> TO <name>',
    (host, { found }) => {
      if (!host.server.logins.has(found[1]!))
        throw new ServerError(
          15151,
          `Cannot find the principal '${found[1]}', because it does not exist or you do not have permission.`,
        );
      host.server.model.open(found[0]!).owner = found[1]!;
    },
    { batch: true },
  ),
  rule(
    'DBCC CHECKDB (<text>) WITH NO_INFOMSGS, ALL_ERRORMSGS',
    (host, { found }) => {
      if (host.server.checkDenied)
        throw new ServerError(
          7983,
          `User 'guest' does not have permission to run DBCC checkdb for database '${found[0]}'.`,
          14,
        );
      if (host.server.model.open(found[0]!).broken)
        throw new ServerError(
          8928,
          'Object ID 581577110, index ID 1: Page (1:153) could not be processed. See other errors for details.',
        );
    },
    { batch: true },
  ),
];

const REGION = `'{"s3":{"region":"<any>"}}'`;

/** `s3://bucket.s3.region.amazonaws.com/key` or `s3://host/bucket/key`. */
function splitUrl(host: Host, url: string): [bucket: string, key: string] {
  const [, server, path] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
  if (!server || !path) throw new ServerError(3276, `WITH URL '${url}' is not valid.`);
  const bucket = /^(.+)\.s3\.([a-z0-9-]+)\.amazonaws\.com$/.exec(server)?.[1];
  const where = bucket ? `s3://${server}` : `s3://${server}/${path.split('/')[0]}`;
  if (!host.server.credentials.has(where))
    throw new ServerError(
      3201,
      `Cannot open backup device '${url}'. Operating system error 5(Access is denied.).`,
    );
  return bucket ? [bucket, path] : [path.slice(0, path.indexOf('/')), path.slice(path.indexOf('/') + 1)];
}

/** A statement that takes its time, during which it can be cancelled or its client can go. */
async function takeTime({ server, session }: Host): Promise<void> {
  for (let step = 0; step < server.statementSteps; step += 1) {
    await sleep(5);
    if (session.closed) throw new ServerError(3204, 'The backup or restore was aborted.');
  }
}

const FILES = (database: ModelDatabase): Answer =>
  table(
    ['LogicalName', 'PhysicalName', 'Type', 'FileId'],
    database.files.map((file, index) => [
      `it's ${database.name}_${index}`,
      file,
      index === 1 ? 'L' : 'D',
      index + 1,
    ]),
  );

export const statements: readonly Rule<Host>[] = [
  rule(
    `BACKUP DATABASE @database TO URL = @url WITH COPY_ONLY, FORMAT, COMPRESSION, CHECKSUM, STOP_ON_ERROR,
       MAXTRANSFERSIZE = 20971520, BACKUP_OPTIONS = ${REGION}`,
    async (host, call) => {
      notOnRds(host, 'BACKUP DATABASE');
      const [bucket, key] = splitUrl(host, call.text('url'));
      await takeTime(host);
      host.server.backups.push({ url: call.text('url'), media: host.server.backups.length + 1 });
      await host.server.files.write(bucket, key, host.server.model.open(call.text('database')), {
        compressed: true,
      });
    },
  ),
  rule(
    `RESTORE VERIFYONLY FROM URL = @url WITH CHECKSUM, RESTORE_OPTIONS = ${REGION}`,
    async (host, call) => {
      notOnRds(host, 'RESTORE VERIFYONLY');
      await host.server.files.read(...splitUrl(host, call.text('url')));
    },
  ),
  rule(`RESTORE HEADERONLY FROM URL = @url WITH RESTORE_OPTIONS = ${REGION}`, async (host, call) => {
    notOnRds(host, 'RESTORE HEADERONLY');
    const { name } = await host.server.files.read(...splitUrl(host, call.text('url')));
    return rows({ DatabaseName: name, BackupSize: 4096, HasBackupChecksums: true, IsDamaged: false });
  }),
  rule(
    `SELECT TOP (1) CONVERT(nvarchar(30), b.first_lsn) AS firstLsn, CONVERT(nvarchar(30), b.last_lsn) AS lastLsn,
       CONVERT(nvarchar(30), b.checkpoint_lsn) AS checkpointLsn
     FROM msdb.dbo.backupset b JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = b.media_set_id
     WHERE f.physical_device_name = @url ORDER BY b.backup_set_id DESC`,
    ({ server }, call) => {
      const last = server.backups.findLast(({ url }) => url === call.text('url'));
      const lsn = (offset: number) => `37000000012${last?.media}${String(offset).padStart(5, '0')}`;
      return table(['firstLsn', 'lastLsn', 'checkpointLsn'], last ? [[lsn(1), lsn(30), lsn(2)]] : []);
    },
  ),
  rule(`RESTORE FILELISTONLY FROM URL = @url WITH RESTORE_OPTIONS = ${REGION}`, async (host, call) => {
    notOnRds(host, 'RESTORE FILELISTONLY');
    const { name } = await host.server.files.read(...splitUrl(host, call.text('url')));
    return FILES({ name, files: ['/old/a.mdf', '/old/a.ldf'] } as ModelDatabase);
  }),
  rule(
    `SELECT CONVERT(nvarchar(512), SERVERPROPERTY('InstanceDefaultDataPath')) AS data,
       CONVERT(nvarchar(512), SERVERPROPERTY('InstanceDefaultLogPath')) AS [log]`,
    () => rows({ data: '/var/opt/mssql/data/', log: '/var/opt/mssql/log' }),
  ),
  rule(
    `RESTORE DATABASE @database FROM URL = @url WITH CHECKSUM, MOVE <text> TO <text>, MOVE <text> TO <text>, RECOVERY, RESTORE_OPTIONS = ${REGION}`,
    async (host, call) => {
      notOnRds(host, 'RESTORE DATABASE');
      const { model, files, diskFull } = host.server;
      const name = call.text('database');
      const paths = [call.found[1]!, call.found[3]!];
      const taken = [...model.databases.values()].flatMap((one) => one.files);
      if (model.find(name))
        throw new ServerError(3159, `The tail of the log for the database "${name}" has not been backed up.`);
      if (paths.some((path) => taken.includes(path)))
        throw new ServerError(1834, `The file '${paths[0]}' cannot be overwritten.`);
      const created = model.create(name);
      Object.assign(created, { state: 'RESTORING', files: paths });
      if (diskFull)
        throw new ServerError(
          3257,
          'There is insufficient free space on disk volume to create the database. The database requires 123 additional free bytes.',
        );
      await takeTime(host);
      const {
        compressed: _packing,
        name: _formerName,
        ...content
      } = await files.read(...splitUrl(host, call.text('url')));
      Object.assign(created, content, { state: 'ONLINE', restoredFrom: call.text('url'), owner: 'backup' });
    },
  ),
  rule(
    `SELECT TOP (1) f.physical_device_name AS device FROM msdb.dbo.restorehistory r
       JOIN msdb.dbo.backupset b ON b.backup_set_id = r.backup_set_id
       JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = b.media_set_id
     WHERE r.destination_database_name = @database ORDER BY r.restore_history_id DESC`,
    ({ server }, call) => {
      const device = server.model.find(call.text('database'))?.restoredFrom;
      return table(['device'], device === undefined ? [] : [[device]]);
    },
  ),
  ...[false, true].flatMap((encrypted) => {
    const key = encrypted ? ', @kms_master_key_arn = @key' : '';
    const arn = (call: { text(name: string): string }) => (encrypted ? call.text('key') : null);
    return [
      rule<Host>(
        `EXEC msdb.dbo.rds_backup_database @source_db_name = @database, @s3_arn_to_backup_to = @object,
           @overwrite_s3_backup_file = 0, @type = N'FULL', @enable_bucket_default_encryption = 1${key}`,
        (host, call) => {
          rdsOnly(host, 'msdb.dbo.rds_backup_database');
          if (host.server.refusals > 0) {
            host.server.refusals -= 1;
            throw new ServerError(
              50000,
              'The task cannot be started during the maintenance window of the instance.',
            );
          }
          return rows(
            host.server.tasks.start('BACKUP_DB', call.text('database'), call.text('object'), arn(call)),
          );
        },
      ),
      rule<Host>(
        `EXEC msdb.dbo.rds_restore_database @restore_db_name = @database, @s3_arn_to_restore_from = @object,
           @with_norecovery = 0, @type = N'FULL'${key}`,
        (host, call) => {
          rdsOnly(host, 'msdb.dbo.rds_restore_database');
          return rows(
            host.server.tasks.start('RESTORE_DB', call.text('database'), call.text('object'), arn(call)),
          );
        },
      ),
    ];
  }),
  rule('EXEC msdb.dbo.rds_task_status @db_name = @database', (host, call) => {
    rdsOnly(host, 'msdb.dbo.rds_task_status');
    const name = call.text('database').toLowerCase();
    const found = host.server.tasks.all.filter(({ database }) => database.toLowerCase() === name);
    return found.length === 0
      ? table(['task_id'], [])
      : rows(...found.map((task) => host.server.tasks.row(task)));
  }),
  rule('EXEC msdb.dbo.rds_task_status @task_id = @id', (host, call) => {
    rdsOnly(host, 'msdb.dbo.rds_task_status');
    return rows(
      ...host.server.tasks.all
        .filter(({ id }) => id === call.parameters.id)
        .map((task) => host.server.tasks.row(task)),
    );
  }),
  rule('EXEC msdb.dbo.rds_cancel_task @task_id = @id', (host, call) => {
    rdsOnly(host, 'msdb.dbo.rds_cancel_task');
    host.server.tasks.cancel(Number(call.parameters.id));
  }),
  rule('EXEC msdb.dbo.rds_drop_database @db_name = @database', (host, call) => {
    rdsOnly(host, 'msdb.dbo.rds_drop_database');
    host.server.tasks.drop(call.text('database'), host.session);
  }),
];

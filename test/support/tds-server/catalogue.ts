// Statements that look: what databases there are, what is in them, what is noted on them, who holds a lock.
import type { TdsServer } from './index';
import type { ModelDatabase, SessionState } from './model';
import { type Rule, rows, rule, table } from './rules';
import { ServerError } from './tokens';

export interface Host {
  readonly server: TdsServer;
  readonly session: SessionState;
}

const NOTE = "class = 0 AND name = N'sovereign-backup'";
const PROPERTY = "@name = N'sovereign-backup'";
const KEY = 'sovereign-backup';

const here = ({ server, session }: Host): ModelDatabase => server.model.open(session.database);

function noted({ server }: Host, name: string): ModelDatabase {
  return server.model.open(name);
}

export const catalogue: readonly Rule<Host>[] = [
  rule(
    `SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) AS version,
       CONVERT(int, SERVERPROPERTY('EngineEdition')) AS edition, DB_ID(N'rdsadmin') AS rds`,
    ({ server }) => rows({ version: server.version, edition: server.edition, rds: server.rds ? 5 : null }),
  ),
  rule(
    `SELECT d.name, d.state_desc AS state, d.user_access_desc AS access, d.recovery_model_desc AS recovery,
       d.collation_name AS collation, CONVERT(int, d.compatibility_level) AS compatibility,
       SUSER_SNAME(d.owner_sid) AS owner, d.is_trustworthy_on AS trustworthy, d.is_broker_enabled AS broker,
       d.is_encrypted AS encrypted, d.is_cdc_enabled AS capture,
       CASE WHEN d.replica_id IS NOT NULL OR m.mirroring_guid IS NOT NULL THEN 1 ELSE 0 END AS mirrored
     FROM sys.databases d LEFT JOIN sys.database_mirroring m ON m.database_id = d.database_id
     WHERE d.name = @name`,
    ({ server }, call) => {
      const found = server.model.find(call.text('name'));
      const columns = [
        'name',
        'state',
        'access',
        'recovery',
        'collation',
        'compatibility',
        'owner',
        'trustworthy',
      ];
      const more = ['broker', 'encrypted', 'capture', 'mirrored'];
      if (!found) return table([...columns, ...more], []);
      const { name, state, access, owner, trustworthy, broker, encrypted, capture, mirrored } = found;
      const cells = [name, state, access, 'FULL', 'Latin1_General_100_CI_AS', 160, owner, trustworthy];
      return table([...columns, ...more], [[...cells, broker, encrypted, capture, mirrored ? 1 : 0]]);
    },
  ),
  rule(
    `SELECT name, state_desc AS state, user_access_desc AS access,
       CASE WHEN name LIKE @pattern ESCAPE N'\\' THEN 1 ELSE 0 END AS matches
     FROM sys.databases
     WHERE database_id > 4 AND source_database_id IS NULL AND is_distributor = 0 AND name <> N'rdsadmin'`,
    ({ server }, call) =>
      table(
        ['name', 'state', 'access', 'matches'],
        [...server.model.databases.values()].map(({ name, state, access }) => [
          name,
          state,
          access,
          server.model.like(name, call.text('pattern')) ? 1 : 0,
        ]),
      ),
  ),
  rule(`SELECT CASE WHEN @name LIKE @pattern ESCAPE N'\\' THEN 1 ELSE 0 END AS matches`, ({ server }, call) =>
    rows({ matches: server.model.like(call.text('name'), call.text('pattern')) ? 1 : 0 }),
  ),
  rule(
    `SELECT CONVERT(nvarchar(3750), value) AS mark FROM <name>.sys.extended_properties WHERE ${NOTE}`,
    (host, call) => {
      const mark = noted(host, call.found[0]!).properties[KEY];
      return table(['mark'], mark === undefined ? [] : [[mark]]);
    },
  ),
  rule(
    `IF EXISTS (SELECT 1 FROM <name>.sys.extended_properties WHERE ${NOTE})
       EXEC <name>.sys.sp_updateextendedproperty ${PROPERTY}, @value = @mark
     ELSE EXEC <name>.sys.sp_addextendedproperty ${PROPERTY}, @value = @mark`,
    (host, call) => {
      const mark = call.text('mark');
      if (mark.length > 3750)
        throw new ServerError(
          15097,
          'The size associated with an extended property cannot be more than 7,500 bytes.',
        );
      noted(host, same(call.found)).properties[KEY] = mark;
    },
  ),
  rule(
    `IF EXISTS (SELECT 1 FROM <name>.sys.extended_properties WHERE ${NOTE})
       EXEC <name>.sys.sp_dropextendedproperty ${PROPERTY}`,
    (host, call) => {
      delete noted(host, same(call.found)).properties[KEY];
    },
  ),
  rule(
    `DECLARE @result int;
     EXEC @result = sys.sp_getapplock @Resource = @resource, @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = @patience;
     SELECT @result AS result`,
    async ({ server, session }, call) => {
      const got = await server.lock(session, call.text('resource'), Number(call.parameters.patience));
      return rows({ result: got ? 0 : -1 });
    },
  ),
  rule('SELECT CONVERT(nvarchar(30), SYSUTCDATETIME(), 126) AS now', () =>
    rows({ now: `${new Date().toISOString().slice(0, -1)}4567` }),
  ),
  rule(
    `SELECT t.object_id AS id, s.name AS [schema], t.name,
       CONVERT(float, COALESCE(SUM(p.row_count), 0)) AS [rows],
       CASE WHEN MAX(CONVERT(int, i.type)) <= 1 AND MAX(CONVERT(int, t.is_memory_optimized)) = 0
         THEN CONVERT(float, COALESCE(SUM(o.leaf_insert_count + o.leaf_delete_count + o.leaf_ghost_count
           + o.leaf_allocation_count + o.leaf_page_merge_count), 0)) END AS writes
     FROM sys.tables t
       JOIN sys.schemas s ON s.schema_id = t.schema_id
       JOIN sys.indexes i ON i.object_id = t.object_id AND i.index_id IN (0, 1)
       LEFT JOIN sys.dm_db_partition_stats p ON p.object_id = i.object_id AND p.index_id = i.index_id
       LEFT JOIN sys.dm_db_index_operational_stats(DB_ID(), NULL, NULL, NULL) o
         ON o.object_id = p.object_id AND o.index_id = p.index_id AND o.partition_number = p.partition_number
     WHERE t.is_ms_shipped = 0
     GROUP BY t.object_id, s.name, t.name`,
    (host) =>
      table(
        ['id', 'schema', 'name', 'rows', 'writes'],
        here(host).tables.map(({ id, schema, name, rows: content, writes }) => [
          id,
          schema,
          name,
          content.length,
          writes,
        ]),
      ),
  ),
  rule(
    'SET LOCK_TIMEOUT <number>; SELECT COUNT_BIG(*) AS [rows] FROM <name>.<name>',
    (host, call) => {
      const [, schema, name] = call.found;
      const found = here(host).tables.find((one) => one.schema === schema && one.name === name);
      if (!found) throw new ServerError(208, `Invalid object name '${schema}.${name}'.`);
      if (host.server.locked.has(name!) && call.found[0] !== '-1')
        throw new ServerError(1222, 'Lock request time out period exceeded.');
      // A bigint, which drivers give as text.
      return rows({ rows: String(found.rows.length) });
    },
    { batch: true },
  ),
  rule(
    'SELECT CONVERT(float, COALESCE(SUM(total_pages), 0)) * 8192 AS bytes FROM sys.allocation_units',
    (host) => rows({ bytes: 8192 * 100 + JSON.stringify(here(host).tables).length }),
  ),
  rule(
    `SELECT d.name, SUM(CONVERT(float, f.size)) * 8192 AS bytes FROM sys.databases d
         JOIN sys.master_files f ON f.database_id = d.database_id AND f.type = 0 GROUP BY d.name`,
    ({ server }) =>
      table(
        ['name', 'bytes'],
        [...server.model.databases.values()].map((one) => [
          one.name,
          8192 * 100 + JSON.stringify(one.tables).length,
        ]),
      ),
  ),
  rule(
    `SELECT p.name, l.name AS login FROM sys.database_principals p
       LEFT JOIN sys.server_principals l ON l.sid = p.sid
     WHERE p.authentication_type IN (1, 3) AND p.principal_id > 4 ORDER BY p.name`,
    (host) =>
      table(
        ['name', 'login'],
        here(host).users.map(({ name, login }) => [name, login]),
      ),
  ),
  rule(
    `SELECT DISTINCT CONCAT(login_name, N' (', COALESCE(NULLIF(program_name, N''), N'no name'), N')') AS who
     FROM sys.dm_exec_sessions WHERE database_id = DB_ID(@database) AND session_id <> @@SPID`,
    ({ server, session }, call) =>
      table(
        ['who'],
        [...server.model.sessions]
          .filter(
            (one) => one !== session && one.database.toLowerCase() === call.text('database').toLowerCase(),
          )
          .map(({ program }) => [`app (${program})`]),
      ),
  ),
];

/** A name that a statement repeats must be the same every time. */
function same(found: readonly string[]): string {
  if (new Set(found).size !== 1)
    throw new ServerError(102, `Incorrect syntax near '${found.join(', ')}'.`, 15);
  return found[0]!;
}

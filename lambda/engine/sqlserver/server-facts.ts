import { InputError } from '../../errors.js';
import type { SqlServerAddress } from './address.js';
import type { Session } from './session.js';

export interface ServerFacts {
  /** `16.0.4165.4` */
  readonly version: string;
  readonly major: number;
  /** Amazon RDS, which has procedures for what others do with statements. */
  readonly rds: boolean;
}

/** SQL Server 2022, the first that backs up to S3 itself. */
const FIRST_WITH_S3 = 16;
const AZURE: Readonly<Record<number, string>> = {
  5: 'Azure SQL Database',
  6: 'Azure Synapse',
  8: 'Azure SQL Managed Instance',
  9: 'Azure SQL Edge',
  11: 'Azure Synapse',
};

export const majorOf = (version: string): number => Number.parseInt(version, 10);

export async function serverFacts(session: Session, address: SqlServerAddress): Promise<ServerFacts> {
  const [found] = await session.query<{ version: string; edition: number; rds: number | null }>(
    `SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) AS version,
            CONVERT(int, SERVERPROPERTY('EngineEdition')) AS edition, DB_ID(N'rdsadmin') AS rds`,
  );
  const { version, edition, rds } = found!;
  const facts = { version, major: majorOf(version), rds: rds !== null };
  const azure = AZURE[edition];
  if (azure)
    throw new InputError(
      `${address.text} is ${azure}; backups are made of SQL Server on Amazon RDS, and of SQL Server 2022 and newer elsewhere`,
    );
  if (!facts.rds && facts.major < FIRST_WITH_S3)
    throw new InputError(
      `${address.text} is SQL Server version ${version}, which cannot write backups to S3; version ${FIRST_WITH_S3} (2022) or newer can, and so can Amazon RDS`,
    );
  return facts;
}

/** A database as `sys.databases` has it. */
export interface DatabaseInfo {
  readonly name: string;
  readonly state: string;
  readonly access: string;
  readonly recovery: string;
  readonly collation: string | null;
  readonly compatibility: number;
  readonly owner: string | null;
  readonly trustworthy: boolean;
  readonly broker: boolean;
  readonly encrypted: boolean;
  readonly capture: boolean;
  /** In an availability group or mirrored, as all databases of Multi-AZ instances are. */
  readonly mirrored: number;
}

const INFO = `
  SELECT d.name, d.state_desc AS state, d.user_access_desc AS access, d.recovery_model_desc AS recovery,
         d.collation_name AS collation, CONVERT(int, d.compatibility_level) AS compatibility,
         SUSER_SNAME(d.owner_sid) AS owner, d.is_trustworthy_on AS trustworthy, d.is_broker_enabled AS broker,
         d.is_encrypted AS encrypted, d.is_cdc_enabled AS capture,
         CASE WHEN d.replica_id IS NOT NULL OR m.mirroring_guid IS NOT NULL THEN 1 ELSE 0 END AS mirrored
  FROM sys.databases d LEFT JOIN sys.database_mirroring m ON m.database_id = d.database_id
  WHERE d.name = @name`;

export async function databaseInfo(session: Session, name: string): Promise<DatabaseInfo | undefined> {
  return (await session.query<DatabaseInfo>(INFO, { name }))[0];
}

export async function databaseExists(session: Session, name: string): Promise<boolean> {
  return (await databaseInfo(session, name)) !== undefined;
}

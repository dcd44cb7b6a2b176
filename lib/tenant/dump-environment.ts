import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { addProblem } from '../problems';
import { DatabaseEngine } from './database-server';
import type { DumpSettings } from './dump-settings';
import type { TenantSource } from './tenant-source';

/** What the worker is told of how to dump; nothing where the defaults do. */
export function dumpEnvironment(
  scope: Construct,
  source: TenantSource,
  settings: DumpSettings = {},
): { [name: string]: string } {
  for (const problem of problemsOf(source, settings)) addProblem(scope, problem);
  const { replica, compressionLevel, contentChecksums, maxPerSecond, jobs, statementTimeout } = settings;
  const options = {
    level: compressionLevel,
    checksums: contentChecksums === false ? 'rows' : undefined,
    bytesPerSecond: maxPerSecond?.toBytes(),
    jobs,
    statementTimeout: statementTimeout?.toSeconds(),
  };
  const told = JSON.stringify(options);
  return {
    ...(told === '{}' ? {} : { SOVEREIGN_DUMP: told }),
    ...(replica ? { SOVEREIGN_REPLICA: replica.url } : {}),
  };
}

function problemsOf({ server, tenancy }: TenantSource, settings: DumpSettings): string[] {
  const { replica, compressionLevel, jobs, statementTimeout } = settings;
  const problems: string[] = [];
  const whole = (name: string, value: number | undefined, most: number) => {
    if (value === undefined || Token.isUnresolved(value)) return;
    if (!Number.isInteger(value) || value < 1 || value > most)
      problems.push(`dumps: ${name} is ${value}, write a whole number from 1 to ${most}`);
  };
  whole('compressionLevel', compressionLevel, 19);
  whole('jobs', jobs, 64);
  const postgres = server.engine === DatabaseEngine.POSTGRESQL;
  if ((jobs ?? 1) > 1 && !(postgres && tenancy !== 'rows'))
    problems.push(
      'dumps: several jobs read databases and schemas of PostgreSQL, and this source is neither; leave jobs out',
    );
  if (statementTimeout !== undefined && !(postgres || tenancy === 'rows'))
    problems.push(
      'dumps: statementTimeout is for PostgreSQL and for rows of shared tables, and this source is neither; leave it out',
    );
  if (replica !== undefined && replica.engine !== server.engine)
    problems.push(
      `dumps: the replica is ${replica.engine.scheme} and the server ${server.engine.scheme}; a replica has its server's engine`,
    );
  else if (replica !== undefined && server.engine === DatabaseEngine.SQL_SERVER)
    problems.push('dumps: SQL Server makes its native backups on the primary alone; leave the replica out');
  if (server.iamResourceId && replica && !replica.iamResourceId)
    problems.push('dumps: the server is logged in to by IAM, so give the iamResourceId of the replica, too');
  return problems;
}

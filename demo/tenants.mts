// Second half of the story: one tenant's database is damaged and comes back; the others never notice.
import { join } from 'node:path';
import type { PostgresServer } from '../scripts/postgres-server.mts';
import { backup, run } from './commands.mts';
import { bold, chapter, command, green, megabytes, red, say, work } from './terminal.mts';

const TENANTS = ['acme', 'globex', 'initech'];
const DAMAGED = 'acme';
/** pgbench's unit: 100,000 accounts, about 15 MB. */
const SCALE = 10;

type Sums = Map<string, string>;

interface Dump {
  archive: string;
  bytes: number;
  plainBytes: number;
}

/** Every table, row, index, owner and grant of a database, in the order it is stored, as one number. */
async function checksum(server: PostgresServer, tenant: string): Promise<string> {
  // pg_dump marks its output with a random word against tampering; everything else repeats.
  const script = `set -o pipefail; "$1" -d "$2" | grep -vE '^\\\\(un)?restrict ' | sha256sum`;
  const url = `${server.url}/${tenant}`;
  const out = await run('bash', ['-c', script, 'checksum', join(server.bin, 'pg_dump'), url]);
  return out.slice(0, 64);
}

async function checksums(server: PostgresServer): Promise<Sums> {
  const sums = new Map<string, string>();
  for (const tenant of TENANTS) sums.set(tenant, await checksum(server, tenant));
  return sums;
}

/** One line per tenant, beside what it was at first and, once that is known, what the damage made of it. */
function showChecksums(now: Sums, first?: Sums, damaged?: Sums): void {
  for (const tenant of TENANTS) {
    const sum = now.get(tenant)!;
    let told = '';
    if (first && sum === first.get(tenant)) told = green('as at first');
    else if (damaged && sum === damaged.get(tenant)) told = red('as damaged');
    else if (first) told = red('changed');
    say(`     ${tenant.padEnd(10)}${sum.slice(0, 32)}…  ${told}`);
  }
}

function assertChanged(now: Sums, before: Sums, expected: string[]): void {
  for (const tenant of TENANTS) {
    const changed = now.get(tenant) !== before.get(tenant);
    if (changed === expected.includes(tenant)) continue;
    throw new Error(
      `${tenant} ${changed ? 'changed' : 'did not change'}, and should ${changed ? 'not ' : ''}have`,
    );
  }
}

async function fill(server: PostgresServer): Promise<void> {
  const pgbench = join(server.bin, 'pgbench');
  for (const [index, tenant] of TENANTS.entries()) {
    await server.query(`CREATE DATABASE ${tenant}`);
    const connection = ['-h', '127.0.0.1', '-p', String(server.port), '-U', 'postgres'];
    await run(pgbench, [...connection, '-i', '-q', '-s', String(SCALE), tenant]);
    await run(pgbench, [...connection, '-n', '-t', String(500 + 250 * index), tenant]);
  }
}

async function count(server: PostgresServer): Promise<number> {
  const [row] = await server.query('SELECT count(*)::int AS n FROM pgbench_accounts', [], DAMAGED);
  return row!.n;
}

export async function tenants(server: PostgresServer, out: string): Promise<void> {
  const store = `${out}/archives`;
  const key = `${out}/demo.key`;
  const local = ['--store', store, '--key-file', key];

  chapter(
    'Three tenants, one database each',
    `PostgreSQL ${server.version} in a folder of its own, port ${server.port}.`,
  );
  command(`pgbench -i -s ${SCALE} ${TENANTS.join(' | ')}`);
  await work(
    'filling three databases with pgbench',
    () => fill(server),
    () => `${TENANTS.join(', ')}: ${(SCALE * 100_000).toLocaleString('en')} accounts each`,
  );
  const before = await work(
    'taking checksums',
    () => checksums(server),
    () => 'SHA-256 of the complete pg_dump of each',
  );
  showChecksums(before);

  chapter(
    'Dump each tenant on its own',
    'pg_dump, zstd, then the AWS Encryption SDK: public formats, no plain byte on disk.',
  );
  command(`npx sovereign-backup keygen ${key}`);
  await backup('keygen', key);
  for (const tenant of TENANTS) {
    command(`npx sovereign-backup dump ${tenant} --server ${server.url} --store ${store} --key-file ${key}`);
    await work(
      `dumping ${tenant}`,
      async (): Promise<Dump> =>
        JSON.parse(await backup('dump', tenant, '--server', server.url, ...local, '--json')),
      ({ bytes, archive }) => `${archive}  ${megabytes(bytes)}`,
    );
  }

  chapter(
    `Something terrible happens to ${DAMAGED}`,
    'A third of its accounts and its whole history are gone.',
  );
  const harm = 'DELETE FROM pgbench_accounts WHERE aid % 3 = 0; DROP TABLE pgbench_history;';
  command(`psql -d ${server.url}/${DAMAGED} -c '${harm}'`);
  await server.query(harm, [], DAMAGED);
  say(`   ${red('✗')} ${(await count(server)).toLocaleString('en')} accounts left`);
  const damaged = await work(
    'taking checksums',
    () => checksums(server),
    () => 'checksums again',
  );
  showChecksums(damaged, before);
  assertChanged(damaged, before, [DAMAGED]);

  chapter(
    `Restore ${DAMAGED}, and nobody else`,
    'Into a side database first, checked against the manifest, then swapped in.',
  );
  const restore = ['restore', DAMAGED, '--server', server.url, ...local, '--confirm', DAMAGED];
  command(`npx sovereign-backup ${restore.join(' ')}`);
  await work(
    `restoring ${DAMAGED}`,
    () => backup(...restore, '--json'),
    () => `${bold(DAMAGED)} is back; what was live is kept for undo`,
  );
  const restored = await work(
    'taking checksums',
    () => checksums(server),
    () => 'all three are what they were, to the byte',
  );
  showChecksums(restored, before, damaged);
  assertChanged(restored, before, []);

  chapter('And undo it', 'Whoever restores at 3 a.m. may find at 4 that it was the wrong thing to do.');
  const undo = ['undo', DAMAGED, '--server', server.url, '--confirm', DAMAGED];
  command(`npx sovereign-backup ${undo.join(' ')}`);
  await work(
    'undoing the restore',
    () => backup(...undo),
    () => `${DAMAGED} is again what it was before the restore`,
  );
  const undone = await work(
    'taking checksums',
    () => checksums(server),
    () => 'the damaged state to the byte; the others still unchanged',
  );
  showChecksums(undone, before, damaged);
  assertChanged(undone, damaged, []);
}

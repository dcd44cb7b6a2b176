// Runs the tests of MariaDB and MySQL with one server and its own client after the other: `npm run test:mariadb-versions`,
// or `... -- mysql-8.4` for some. Two minutes each, and it downloads some hundred MB, so it is not part of `npm test`.
// Needs Debian or Ubuntu on amd64, root, and debootstrap; everything is unpacked into .cache/mariadb.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTests } from './jest-outcome.mts';
import { type ReleasePackages, unpackPackages, wrapPrograms } from './release-packages.mts';

const cache = join(import.meta.dirname, '../.cache/mariadb');
const say = (line: string) => process.stderr.write(`${line}\n`);

/** Where each is to be had. What Debian's stable release has is what `npm test` runs with. */
const SERVERS: Record<string, Omit<ReleasePackages, 'folder'>> = {
  'mariadb-10.6': {
    distribution: 'ubuntu',
    suite: 'jammy',
    packages: ['mariadb-server-core-10.6', 'mariadb-client-10.6'],
  },
  'mariadb-11.8': {
    distribution: 'debian',
    suite: 'trixie',
    packages: ['mariadb-server-core', 'mariadb-client'],
  },
  'mysql-8.0': {
    distribution: 'ubuntu',
    suite: 'noble',
    packages: ['mysql-server-core-8.0', 'mysql-client-core-8.0'],
  },
  'mysql-8.4': {
    distribution: 'ubuntu',
    suite: 'resolute',
    packages: ['mysql-server-core', 'mysql-client-core'],
  },
  'mysql-9.7': {
    distribution: 'debian',
    suite: 'sid',
    packages: ['mysql-server-core', 'mysql-client-core'],
  },
};

/** What depends on the version. */
const TESTS = ['test/integration/mariadb-', 'test/integration/rows-', 'test/engine/mariadb-'];

function versionIn(folder: string): string | undefined {
  const server = ['mariadbd', 'mysqld'].map((name) => join(folder, 'usr/sbin', name)).find(existsSync);
  if (server === undefined) return undefined;
  const { stdout } = spawnSync(server, ['--no-defaults', '--version'], { encoding: 'utf8' });
  return stdout.match(/Ver (\S+)/)?.[1];
}

function unpacked(name: string): { readonly bin: string; readonly version: string } {
  const folder = join(cache, name);
  const bin = join(folder, 'usr/bin');
  if (versionIn(folder) === undefined) {
    const wanted = SERVERS[name]!;
    say(`unpacking ${name} of ${wanted.suite} ...`);
    unpackPackages({ ...wanted, folder });
    for (const programs of [bin, join(folder, 'usr/sbin')]) wrapPrograms(folder, programs);
  }
  const version = versionIn(folder);
  if (version === undefined) throw new Error(`${name} does not run from ${folder}`);
  return { bin, version };
}

mkdirSync(cache, { recursive: true });
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(SERVERS, name));
if (unknown.length > 0) {
  say(`unknown: ${unknown.join(', ')}; known are ${Object.keys(SERVERS).join(', ')}`);
  process.exit(2);
}
const lines = ['| server | passed | failed | seconds |', '| --- | --- | --- | --- |'];
for (const name of asked.length > 0 ? asked : Object.keys(SERVERS)) {
  const { bin, version } = unpacked(name);
  const { passed, failed, seconds } = runTests(TESTS, { TEST_MYSQL_BIN: bin }, join(cache, 'results.json'));
  if (failed.length > 0) process.exitCode = 1;
  lines.push(`| ${name}: ${version} | ${passed} | ${failed.join('; ') || 'none'} | ${seconds} |`);
  say(lines.at(-1)!);
  writeFileSync(join(cache, 'versions.md'), `${lines.join('\n')}\n`);
}
process.stdout.write(`${lines.join('\n')}\n`);

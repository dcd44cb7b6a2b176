// Compiles lib/ against the oldest aws-cdk-lib and constructs that package.json promises to work with: the versions
// that are installed for development are newer, and what only they have would break whoever still uses the oldest.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmEnvironment } from './npm.mts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, '.cache/floor');
const { peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const floors = Object.entries<string>(peerDependencies).map(
  ([name, range]) => [name, range.replace(/^\^/, '')] as const,
);

function run(command: string, args: string[], cwd: string): void {
  const { status } = spawnSync(command, args, {
    cwd,
    env: npmEnvironment,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status === 0) return;
  console.error(`${[command, ...args].join(' ')} failed in ${cwd} (exit code ${status})`);
  process.exit(status ?? 1);
}

const stamp = join(folder, 'installed.json');
const wanted = JSON.stringify(floors);
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  run(
    'npm',
    [
      'install',
      '--loglevel=error',
      '--no-fund',
      '--no-audit',
      '--no-save',
      ...floors.map((floor) => floor.join('@')),
    ],
    folder,
  );
  writeFileSync(stamp, wanted);
}
const paths = Object.fromEntries(
  floors.flatMap(([name]) => [
    [name, [`./node_modules/${name}`]],
    [`${name}/*`, [`./node_modules/${name}/*`]],
  ]),
);
const config = {
  extends: '../../tsconfig.jsii.json',
  compilerOptions: {
    noEmit: true,
    types: ['node'],
    rootDir: '../../lib',
    incremental: false,
    tsBuildInfoFile: null,
    paths,
  },
  include: ['../../lib/**/*.ts'],
};
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
run(join(root, 'node_modules/.bin/tsc'), ['-p', join(folder, 'tsconfig.json')], root);
console.log(`lib/ compiles with ${floors.map((floor) => floor.join(' ')).join(' and ')}`);

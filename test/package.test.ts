// What npm would publish, installed where nothing else is.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(__dirname, '..');
let folder: string;
let files: string[];
let installed: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sovereign-package-'));
  // From a copy without scripts: older releases of npm build the package when they pack it, whatever they are told, and
  // that would race with the tests that read dist/.
  const source = join(folder, 'source');
  const left = ['.git', 'node_modules', '.cache', 'cdk.out', 'demo-out', 'bench-out'].map((name) =>
    join(root, name),
  );
  cpSync(root, source, { recursive: true, filter: (path) => !left.includes(path) });
  const declared = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(source, 'package.json'), JSON.stringify({ ...declared, scripts: {} }));
  const args = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: source, maxBuffer: 16 << 20 });
  const [pack] = JSON.parse(stdout);
  files = pack.files.map((file: { path: string }) => file.path);
  installed = join(folder, 'project/node_modules/cdk-sovereign-backup');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, pack.filename), '--strip-components=1', '-C', installed]);
  // The two peers, and nothing of what the package was developed with.
  for (const peer of ['aws-cdk-lib', 'constructs']) {
    symlinkSync(join(root, 'node_modules', peer), join(folder, 'project/node_modules', peer));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('carries library, command, functions, schemas and documents', () => {
  expect(files).toEqual(
    expect.arrayContaining([
      '.jsii',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/bin/sovereign-backup.mjs',
      'dist/lambda/discover/index.mjs',
      'dist/lambda/report/index.mjs',
      'dist/lambda/worker/Dockerfile',
      'dist/lambda/worker/index.mjs',
      'dist/lib/index.d.ts',
      'dist/lib/index.js',
      'docs/README.md',
      'schema/audit.schema.json',
      'schema/manifest.schema.json',
    ]),
  );
});

test('carries no source, test or key', () => {
  const strange = files.filter((file) => !/^(dist|schema|docs)\//.test(file) && file.includes('/'));
  expect(strange).toEqual([]);
  expect(files.filter((file) => /\.(key|pem|env|log)$|(?<!\.d)\.m?ts$/.test(file))).toEqual([]);
});

test('the command runs with nothing beside it', async () => {
  const { stdout } = await run(process.execPath, [
    join(installed, 'dist/bin/sovereign-backup.mjs'),
    '--help',
  ]);
  expect(stdout).toContain('restore [options] <tenant>');
});

test('the library loads with its peers alone, and finds its functions', async () => {
  const script = `const { App, Duration } = require('aws-cdk-lib');
    const { BackupEstate, PrivacyRegime } = require('cdk-sovereign-backup');
    const app = new App({ outdir: 'out' });
    new BackupEstate(app, 'Prod', {
      account: '111111111111',
      territories: [{ regime: PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1'] }],
      objective: { maxDataLoss: Duration.hours(2), retention: Duration.days(7) },
    });
    console.log(app.synth().stacks.length);`;
  const { stdout } = await run(process.execPath, ['-e', script], { cwd: join(folder, 'project') });
  expect(Number(stdout)).toBeGreaterThanOrEqual(2);
});

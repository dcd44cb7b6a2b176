import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = mkdtempSync(join(tmpdir(), 'bundles-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('the program can be loaded by a Node without zstd, to say that it needs it', () => {
  const imports = readdirSync('dist/bin', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mjs'))
    .flatMap(
      (name) => readFileSync(join('dist/bin', name), 'utf8').match(/import\s*\{[^}]*Zstd[^}]*\}/g) ?? [],
    );
  expect(imports).toEqual([]);
});

test('a package without its functions says which file is missing and how to get it', () => {
  for (const file of ['errors.js', 'bundles.js']) {
    cpSync(join('dist/lib', file), join(root, 'lib', file), { recursive: true });
  }
  const { bundleFolder } = require(join(root, 'lib/bundles.js'));
  expect(() => bundleFolder('worker')).toThrow(
    /lambda\/worker\/Dockerfile is missing: this installation of cdk-sovereign-backup has no 'worker' function\. Install/,
  );
  mkdirSync(join(root, 'lambda/report'), { recursive: true });
  writeFileSync(join(root, 'lambda/report/index.mjs'), '');
  expect(bundleFolder('report')).toBe(join(root, 'lambda/report'));
});

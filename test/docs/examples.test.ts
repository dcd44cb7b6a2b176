// What the documents show compiles (`npm run lint` looks at it), and synthesizes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examples, writeExamples } from '../../scripts/docs-examples.mts';
import { appWith, complaint } from '../synth';
import { given } from './given';

writeExamples();
// One of them reads a file from where the app is.
const folder = mkdtempSync(join(tmpdir(), 'examples-'));
writeFileSync(join(folder, 'residency.json'), JSON.stringify({ schemaVersion: 1 }));
const home = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true, force: true });
});
const { EXAMPLES } = require('../../.cache/docs/examples') as typeof import('../../.cache/docs/examples');

test('every example of the documents is in the module', () => {
  expect(Object.keys(EXAMPLES)).toEqual(examples().map(({ where }) => where));
  expect(Object.keys(EXAMPLES).length).toBeGreaterThan(12);
});

test.each(Object.entries(EXAMPLES))('%s', (_, example) => {
  const app = appWith();
  example(given(app));
  expect(complaint(app)).toBe('');
});

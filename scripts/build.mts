// Builds everything that is shipped: lib/ with jsii, the CLI and the Lambda bundles with esbuild.
// jsii is slow, so it runs only when one of its inputs has changed since the last good build.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { makeIndexLazy } from './lazy-index.mts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function hashOf(files: string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function buildLibrary(): void {
  const stamp = 'dist/.jsii-inputs';
  const inputs = hashOf([...filesUnder('lib'), 'package.json', 'README.md', 'package-lock.json']);
  if (existsSync(stamp) && existsSync('.jsii') && readFileSync(stamp, 'utf8') === inputs) return;
  rmSync('dist/lib', { recursive: true, force: true });
  const result = spawnSync('node_modules/.bin/jsii', ['--generate-tsconfig', 'tsconfig.jsii.json'], {
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
  makeIndexLazy('dist/lib/index.js');
  mkdirSync('dist', { recursive: true });
  writeFileSync(stamp, inputs);
}

/** Bundled CommonJS dependencies still call `require` for Node's own modules. */
const banner = {
  js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
};

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  mainFields: ['module', 'main'],
  format: 'esm',
  target: 'node20',
  minify: false,
  legalComments: 'none',
  logLevel: 'warning',
  banner,
  // Optional native bindings of database drivers; the pure JavaScript paths are used.
  external: ['pg-native'],
  alias: {
    '@azure/identity': './lambda/engine/sqlserver/no-azure.ts',
    '@azure/keyvault-keys': './lambda/engine/sqlserver/no-azure.ts',
    // The same code as ES modules, of which only what is used gets into a bundle.
    '@aws-crypto/encrypt-node/build/main': '@aws-crypto/encrypt-node/build/module',
    yaml: './node_modules/yaml/browser/dist/index.js',
  },
  loader: { '.html': 'text', '.css': 'text', '.txt': 'text' },
};

/** Keeps start-up short: the code of a command, an engine or a driver is read only when it is needed. */
const split: BuildOptions = {
  splitting: true,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunks/[name]-[hash]',
  minifySyntax: true,
  minifyWhitespace: true,
};

async function buildCli(): Promise<void> {
  rmSync('dist/bin', { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: ['bin/sovereign-backup.ts'],
    ...split,
    outdir: 'dist/bin',
  });
}

async function buildHandlers(): Promise<void> {
  rmSync('dist/lambda', { recursive: true, force: true });
  if (!existsSync('lambda/handlers')) return;
  const handlers = readdirSync('lambda/handlers').filter((file) => file.endsWith('.ts'));
  for (const file of handlers) {
    const name = file.slice(0, -'.ts'.length);
    await build({
      ...common,
      ...split,
      entryPoints: { index: join('lambda/handlers', file) },
      outdir: `dist/lambda/${name}`,
    });
    // The worker runs in our own image, next to the database client tools.
    if (name === 'worker') cpSync('lambda/image', `dist/lambda/${name}`, { recursive: true });
  }
}

buildLibrary();
await Promise.all([buildCli(), buildHandlers()]);

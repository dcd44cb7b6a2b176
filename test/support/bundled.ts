import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** A module of lambda/ or bin/, bundled as the build does it, for tests of parts that no bundle offers by itself. */
export function bundled<Module>(path: string): Module {
  const outfile = join(mkdtempSync(join(tmpdir(), 'bundled-')), 'module.cjs');
  buildSync({
    entryPoints: [join(__dirname, '../..', path)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['pg-native'],
    logLevel: 'error',
  });
  return require(outfile);
}

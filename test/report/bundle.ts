import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { buildSync } from 'esbuild';
import type { htmlReport as Report } from '../../bin/report/index';

/** The report as the CLI bundles it, so that results which no template gives yet can be printed too. */
export function bundledReport(): typeof Report {
  const { outputFiles } = buildSync({
    entryPoints: [join(__dirname, '../../bin/report/index.ts')],
    write: false,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    loader: { '.css': 'text', '.txt': 'text' },
  });
  // In Node's own context: in that of a test, where every look at a global is a call, drawing takes ten times as long.
  const load = runInThisContext(`(module, require) => {${outputFiles[0]!.text}\n}`);
  const module: { exports?: { htmlReport: typeof Report } } = {};
  load(module, require);
  return module.exports!.htmlReport;
}

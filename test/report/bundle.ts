import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { htmlReport as Report } from '../../bin/report/index';

/** The report as the CLI bundles it, so that results which no template gives yet can be printed too. */
export function bundledReport(): typeof Report {
  const outfile = join(mkdtempSync(join(tmpdir(), 'report-')), 'report.cjs');
  buildSync({
    entryPoints: [join(__dirname, '../../bin/report/index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    loader: { '.css': 'text', '.txt': 'text' },
  });
  return require(outfile).htmlReport;
}

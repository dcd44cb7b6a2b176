// `npm run bench [-- --megabytes N --rounds 5 --only dump,mariadb,rows,synth,audit]`: prints a table, writes JSON.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { benchDump } from './dump.mts';
import { printFigure, printRuns } from './figures.mts';
import { benchMariadb } from './mariadb.mts';
import { measure, type Spread } from './measure.mts';
import { newestPostgres } from './postgres17.mts';
import { benchRows, printRows } from './rows.mts';
import { benchSynth } from './synth.mts';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'dump,mariadb,rows,synth,audit' },
    out: { type: 'string', default: 'bench-out' },
    postgres: { type: 'string' },
  },
});
/** About how large a database is measured, unless --megabytes says it of all. */
const MEGABYTES = {
  // As much as where the targets come from: 695 MB of rows as PostgreSQL copies them, 388 MB as mariadb-dump writes them.
  dump: 900,
  mariadb: 715,
  // So large that dumping all tenants takes more than twenty seconds: a run for one costs a fifth of a second or more before
  // its first row.
  'rows postgresql': 8000,
  'rows mariadb': 4000,
};
const megabytesOf = (part: keyof typeof MEGABYTES) => Number(values.megabytes ?? MEGABYTES[part]);
const rounds = Number(values.rounds);
const parts = values.only.split(',');
const given = values.postgres && resolve(values.postgres);
if (
  !(megabytesOf('dump') >= 1 && rounds >= 1) ||
  parts.some((part) => !['dump', 'mariadb', 'rows', 'synth', 'audit'].includes(part))
) {
  console.error(
    'usage: npm run bench -- [--megabytes N] [--rounds N] [--only dump,mariadb,rows,synth,audit] [--out FOLDER] [--postgres BIN]',
  );
  process.exit(2);
}
if (given !== undefined && !existsSync(join(given, 'initdb'))) {
  console.error(
    `--postgres ${values.postgres}: there is no initdb in ${given}; give the folder of a PostgreSQL's programs`,
  );
  process.exit(2);
}

const progress = (line: string) => console.error(`… ${line}`);
const cell = (text: string, width: number) => text.padStart(width);
const times = (label: string, { min, median, max }: Spread, rest = '') =>
  console.log(
    `  ${label.padEnd(34)}${cell(min.toFixed(2), 8)}${cell(median.toFixed(2), 8)}${cell(max.toFixed(2), 8)} s   ${rest}`,
  );
const head = (title: string) =>
  console.log(`\n${title.padEnd(36)}${cell('min', 8)}${cell('median', 8)}${cell('max', 8)}`);

const printPeak = (megabytes: number) => {
  const verdict = megabytes < 200 ? 'reached' : 'missed';
  console.log(`  peak memory of our own process: ${megabytes.toFixed(0)} MB (target under 200: ${verdict})`);
};

const results: Record<string, unknown> = {
  machine: {
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    memoryGigabytes: totalmem() / 1e9,
    node: process.version,
  },
};

if (parts.includes('dump')) {
  const bin = given ?? newestPostgres();
  const result = await benchDump({ bin, megabytes: megabytesOf('dump'), rounds, progress });
  results.dump = result;
  console.log(
    `\nPostgreSQL ${result.server}, database ${result.databaseMegabytes.toFixed(0)} MB; archive ` +
      `${result.archiveMegabytes.toFixed(1)} MB, the plain dump ${result.plainMegabytes.toFixed(1)} MB`,
  );
  printRuns('dump', result.dumps);
  printRuns('restore', result.restores);
  printRuns('dump of 10 MB', result.small);
  console.log('');
  for (const one of result.figures) printFigure(one);
  printPeak(result.peakMegabytes);
}
if (parts.includes('mariadb')) {
  const result = await benchMariadb({ megabytes: megabytesOf('mariadb'), rounds, progress });
  results.mariadb = result;
  console.log(
    `\nMariaDB ${result.server}, database ${result.databaseMegabytes.toFixed(0)} MB; archive ` +
      `${result.archiveMegabytes.toFixed(1)} MB, the plain dump ${result.plainMegabytes.toFixed(1)} MB`,
  );
  printRuns('dump', result.dumps);
  printRuns('restore', result.restores);
  console.log('');
  for (const one of result.figures) printFigure(one);
  printPeak(result.peakMegabytes);
}
if (parts.includes('rows')) {
  for (const engine of ['postgresql', 'mariadb'] as const) {
    const bin = engine === 'postgresql' ? (given ?? newestPostgres()) : undefined;
    const megabytes = megabytesOf(`rows ${engine}`);
    const result = await benchRows({ engine, ...(bin ? { bin } : {}), megabytes, rounds, progress });
    results[`rows ${engine}`] = result;
    printRows(result);
  }
}
if (parts.includes('synth')) {
  const result = await benchSynth(rounds, progress);
  results.synth = result;
  head('synth');
  times('the same as plain L1', result.plain);
  times('the estate', result.ours, `${result.stacks} stacks, ${result.resources} resources`);
  times('processor, the same as plain L1', result.cpu.plain);
  times('processor, the estate', result.cpu.ours);
  const verdict = result.ratio <= 1.3 ? 'reached' : 'missed';
  console.log(
    `  time, ours over plain L1: ${result.ratio.toFixed(2)} (target 1.30: ${verdict}), of the processor ` +
      `${result.cpu.ratio.toFixed(2)}; peak memory ${result.peakMegabytes.toFixed(0)} MB`,
  );
}
if (parts.includes('audit')) {
  progress('auditing generated templates');
  const { stdout } = await measure(process.execPath, [join(root, 'bench/audit.mts')]);
  const result = JSON.parse(stdout);
  results.audit = result;
  console.log('\naudit');
  for (const run of result.runs) {
    console.log(
      `  ${run.name}: ${run.templates} templates, ${run.resources} resources, ${run.megabytes.toFixed(0)} MB: ` +
        `${run.seconds.toFixed(2)} s, peak ${run.peakMegabytes.toFixed(0)} MB`,
    );
  }
  console.log(
    `  growth per resource ${result.growth.toFixed(2)}; start-up ${result.startUpMilliseconds.toFixed(0)} ms ` +
      `(Node alone ${result.nodeMilliseconds.toFixed(0)} ms)`,
  );
}
const out = resolve(root, values.out);
await mkdir(out, { recursive: true });
const file = join(out, 'results.json');
await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
console.log(`\nwritten to ${file}`);

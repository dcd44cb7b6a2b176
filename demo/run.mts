// `npm run demo`: the main job on real input, told as a short story. Leaves a report and archives behind.
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '../scripts/postgres-server.mts';
import { endCommands, root } from './commands.mts';
import { residency } from './residency.mts';
import { tenants } from './tenants.mts';
import { bold, dim, megabytes, red, say, secondsSinceStart, work } from './terminal.mts';

const OUT = 'demo-out';
let server: PostgresServer | undefined;
let interrupted = false;

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, async () => {
    interrupted = true;
    say();
    say(`   ${red('interrupted')}; stopping the database server`);
    endCommands();
    await server?.stop();
    process.exit(code);
  });
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

try {
  say(bold('cdk-sovereign-backup, on real input'));
  // Only what an earlier demo left.
  await rm(join(root, OUT), { recursive: true, force: true });
  await mkdir(join(root, OUT));
  await residency(OUT);
  say();
  server = await work(
    'starting a PostgreSQL server',
    () => startPostgres(),
    ({ version }) => `a PostgreSQL ${version} server of the demo's own`,
  );
  await tenants(server, OUT);
  say();
  say(bold(`Done in ${secondsSinceStart().toFixed(0)} s.`));
  say(`   ${OUT}/audit.html   the auditor's report, for a browser`);
  say(`   ${OUT}/cdk.out      the synthesized templates`);
  say(
    `   ${OUT}/archives     three encrypted archives, ${megabytes(await sizeOf(join(root, OUT, 'archives')))}`,
  );
  say(`   ${OUT}/demo.key     the key that opens them`);
  say(dim('   The server and its databases are gone.'));
} catch (error) {
  if (!interrupted) {
    say();
    say(`   ${red('The demo failed:')} ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
} finally {
  await server?.stop();
}

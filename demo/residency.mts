// First half of the story: what is declared stays in its regime, and an auditor can see that it does.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attemptBackup, backup, cdk, root } from './commands.mts';
import { bold, chapter, command, quote, work } from './terminal.mts';

interface Place {
  region: string | null;
  regime: string | null;
}

interface Audit {
  summary: Record<string, number>;
  edges: { verdict: string; what: string; from: Place; to: Place }[];
}

async function stackRegions(folder: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  return Object.values<{ type: string; environment: string }>(manifest.artifacts)
    .filter((artifact) => artifact.type === 'aws:cloudformation:stack')
    .map((artifact) => artifact.environment.split('/').pop()!);
}

/** `eu-central-1 -> eu-west-1 (eu): 2 backup` for every way by which data moves. */
function ways(audit: Audit): string[] {
  const counts = new Map<string, Map<string, number>>();
  for (const { from, to, what } of audit.edges) {
    const regimes = from.regime === to.regime ? `${from.regime}` : `${from.regime} to ${to.regime}`;
    const way = `${from.region ?? '?'} → ${to.region ?? '?'}  (${regimes})`;
    const kinds = counts.get(way) ?? new Map<string, number>();
    counts.set(way, kinds.set(what, (kinds.get(what) ?? 0) + 1));
  }
  return [...counts].map(
    ([way, kinds]) => `${way}: ${[...kinds].map(([what, n]) => `${n} ${what}`).join(', ')}`,
  );
}

export async function residency(out: string): Promise<void> {
  const assembly = `${out}/cdk.out`;
  chapter(
    'One declaration, one stack per region',
    'bin/estate.ts names territories; no AWS account is needed.',
  );
  command(`npx cdk synth --quiet --output ${assembly}`);
  await work(
    'synthesizing',
    async () => {
      await cdk('synth', '--quiet', '--output', assembly);
      return stackRegions(join(root, assembly));
    },
    (regions) => `${regions.length} stacks in ${new Set(regions).size} regions`,
  );

  chapter('Every way by which data moves, judged', 'From the templates alone, as an auditor would.');
  command(`npx sovereign-backup audit ${assembly}`);
  const audit = await work(
    'auditing',
    async (): Promise<Audit> => JSON.parse(await backup('audit', assembly, '--json')),
    ({ summary }) =>
      `${summary.edges} ways out of ${summary.resources} resources: ${summary.allowed} allowed, ` +
      `${(summary.violation ?? 0) + (summary.impossible ?? 0)} forbidden, ${summary.undetermined} unknown`,
  );
  quote(ways(audit).join('\n'));
  command(`npx sovereign-backup audit ${assembly} --format html --out ${out}/audit.html`);
  await work(
    'writing the report',
    () => backup('audit', assembly, '--format', 'html', '--out', `${out}/audit.html`),
    () => `${bold(`${out}/audit.html`)}, one file, for the auditor`,
  );

  chapter('A copy to a foreign place is refused', 'demo/foreign copies backups of Frankfurt to Virginia.');
  const foreign = (await readdir(join(root, 'demo/foreign'))).find((name) => name.endsWith('.yaml'))!;
  const template = `demo/foreign/${foreign}`;
  command(`npx sovereign-backup audit ${template} --region eu-central-1`);
  const refused = await work(
    'auditing',
    async () => {
      const outcome = await attemptBackup('audit', template, '--region', 'eu-central-1');
      if (outcome.code !== 1) throw new Error(`the foreign copy was not refused (exit code ${outcome.code})`);
      return outcome;
    },
    () => `refused, with exit code 1`,
  );
  quote(refused.stdout);
}

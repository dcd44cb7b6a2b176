// Synthesis of an estate of 8 regimes and 20 regions beside the same resources, written as plain L1 constructs. Both as
// the example app is configured: CDK itself validates every template.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, type Spread, spread } from './measure.mts';

const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);

export interface SynthBench {
  readonly stacks: number;
  readonly resources: number;
  readonly rounds: number;
  readonly ours: Spread;
  readonly plain: Spread;
  /** Seconds of ours over plain L1: 1 is as fast. Medians. */
  readonly ratio: number;
  readonly peakMegabytes: number;
}

interface Artifact {
  type: string;
  environment: string;
  properties: { templateFile: string };
}

interface Template {
  Resources: Record<string, { Type: string; Properties?: object }>;
}

/** `{ AWS::Backup::BackupPlan: [aws_backup, CfnBackupPlan] }` for every L1 class there is. */
function classes(): Map<string, [string, string]> {
  const library = require('aws-cdk-lib');
  const found = new Map<string, [string, string]>();
  for (const module of Object.keys(library).filter((name) => name.startsWith('aws_'))) {
    for (const name of Object.keys(library[module])) {
      const type = name.startsWith('Cfn') && library[module][name]?.CFN_RESOURCE_TYPE_NAME;
      if (type && !found.has(type)) found.set(type, [module, name]);
    }
  }
  return found;
}

/** Intrinsics travel through L1's parser as marked strings, and come out of it as tokens. */
const MARK = 'intrinsic ';

function marked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && /^(Ref|Fn::.*)$/.test(keys[0]!)) return MARK + JSON.stringify(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, marked(each)]));
}

function code(value: unknown): string {
  if (typeof value === 'string' && value.startsWith(MARK)) return `token(${value.slice(MARK.length)})`;
  if (Array.isArray(value)) return `[${value.map(code).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return `{ ${members.map(([key, each]) => `${JSON.stringify(key)}: ${code(each)}`).join(', ')} }`;
}

/** The program that somebody would have written by hand, with each property spelled as L1 wants it. */
function program(templates: { name: string; region: string; template: Template }[]): string {
  const library = require('aws-cdk-lib');
  const known = classes();
  const scratch = new library.App();
  const parser = { parseValue: (value: unknown) => value, handleAttributes: () => {} };
  const lines = [
    `const cdk = require(${JSON.stringify(require.resolve('aws-cdk-lib'))});`,
    'const token = (value) => cdk.Token.asString(value);',
    'const app = new cdk.App();',
    'let stack;',
  ];
  for (const { name, region, template } of templates) {
    const scope = new library.Stack(scratch, `Of${name}`);
    lines.push(
      `stack = new cdk.Stack(app, ${JSON.stringify(name)}, { env: { region: ${JSON.stringify(region)} } });`,
    );
    for (const [id, { Type, Properties }] of Object.entries(template.Resources)) {
      const properties = marked(Properties ?? {});
      const [module, className] = known.get(Type) ?? [];
      if (module && className) {
        const resource = { Type, Properties: properties };
        const l1 = library[module][className]._fromCloudFormation(scope, id, resource, { parser });
        lines.push(
          `new cdk.${module}.${className}(stack, ${JSON.stringify(id)}, ${code(l1.cfnProperties)});`,
        );
      } else {
        lines.push(`new cdk.CfnResource(stack, ${JSON.stringify(id)}, ${code({ type: Type, properties })});`);
      }
    }
  }
  return `${lines.join('\n')}\napp.synth();\n`;
}

export async function benchSynth(rounds: number, progress: (line: string) => void): Promise<SynthBench> {
  const folder = await mkdtemp(join(tmpdir(), 'sovereign-bench-'));
  try {
    const { context } = JSON.parse(await readFile(join(root, 'cdk.json'), 'utf8'));
    const estate = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', join(root, 'bench/estate.mts')];
    const out = join(folder, 'estate');
    progress('synthesizing the estate once, to write it as plain L1');
    await measure(process.execPath, estate, environment(out, context));
    const templates = await templatesOf(out);
    const plainApp = join(folder, 'plain.cjs');
    await writeFile(plainApp, program(templates));

    progress(`synthesizing, 1 + ${rounds} rounds`);
    const ours: number[] = [];
    const plain: number[] = [];
    let peakMegabytes = 0;
    for (let round = 0; round <= rounds; round += 1) {
      const mine = await measure(process.execPath, estate, environment(out, context));
      const other = await measure(process.execPath, [plainApp], environment(join(folder, 'plain'), context));
      if (round === 0) continue;
      ours.push(mine.seconds);
      plain.push(other.seconds);
      peakMegabytes = Math.max(peakMegabytes, mine.peakMegabytes);
    }
    const [a, b] = [spread(ours), spread(plain)];
    return {
      stacks: templates.length,
      resources: templates.reduce((sum, each) => sum + Object.keys(each.template.Resources).length, 0),
      rounds,
      ours: a,
      plain: b,
      ratio: a.median / b.median,
      peakMegabytes,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function environment(out: string, context: object): NodeJS.ProcessEnv {
  return { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context) };
}

async function templatesOf(out: string) {
  const manifest = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
  const templates: { name: string; region: string; template: Template }[] = [];
  for (const [name, artifact] of Object.entries<Artifact>(manifest.artifacts)) {
    if (artifact.type !== 'aws:cloudformation:stack') continue;
    const template: Template = JSON.parse(
      await readFile(join(out, artifact.properties.templateFile), 'utf8'),
    );
    templates.push({ name, region: artifact.environment.split('/').pop()!, template });
  }
  return templates;
}

// Synthesis of an estate of 8 regimes and 20 regions beside the same resources, written as plain L1 constructs that refer
// to each other. Both are CommonJS modules, and as the example app is configured: CDK itself validates every template.
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
  /** Seconds of ours over plain L1: 1 is as fast. Median of the rounds, each with its own neighbour. */
  readonly ratio: number;
  /** The same in seconds of the processor, of all threads. */
  readonly cpu: { readonly ours: Spread; readonly plain: Spread; readonly ratio: number };
  readonly peakMegabytes: number;
}

interface Artifact {
  type: string;
  environment: string;
  properties: { templateFile: string };
}

interface Resource {
  Type: string;
  Properties?: object;
  DependsOn?: string | string[];
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

interface Template {
  Resources: Record<string, Resource>;
}

interface Synthesized {
  name: string;
  account: string;
  region: string;
  template: Template;
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

/** Intrinsics travel through L1's parser as marked strings, and come out of it as references. */
const MARK = 'intrinsic ';

function marked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && /^(Ref|Fn::.*)$/.test(keys[0]!)) return MARK + JSON.stringify(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, marked(each)]));
}

const PSEUDO: Record<string, string> = {
  'AWS::AccountId': 'ACCOUNT_ID',
  'AWS::Partition': 'PARTITION',
  'AWS::Region': 'REGION',
  'AWS::StackId': 'STACK_ID',
  'AWS::URLSuffix': 'URL_SUFFIX',
};

/** As one writes it by hand: `key.ref`, `cdk.Aws.REGION`; by name only where the resource comes later. */
function reference(value: unknown, made: ReadonlySet<string>): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const { Ref: name, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, never>;
  if (typeof name === 'string' && PSEUDO[name]) return `cdk.Aws.${PSEUDO[name]}`;
  if (typeof name === 'string' && made.has(name)) return `at[${JSON.stringify(name)}].ref`;
  if (Array.isArray(attribute) && made.has(attribute[0]))
    return `cdk.Token.asString(at[${JSON.stringify(attribute[0])}].getAtt(${JSON.stringify(attribute[1])}))`;
  if (Array.isArray(join)) {
    const [separator, parts] = join as [string, unknown[]];
    return `cdk.Fn.join(${JSON.stringify(separator)}, [${parts.map((part) => reference(part, made)).join(', ')}])`;
  }
  return `cdk.Token.asString(${JSON.stringify(value)})`;
}

function code(value: unknown, made: ReadonlySet<string>): string {
  if (typeof value === 'string' && value.startsWith(MARK))
    return reference(JSON.parse(value.slice(MARK.length)), made);
  if (Array.isArray(value)) return `[${value.map((each) => code(each, made)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return `{ ${members.map(([key, each]) => `${JSON.stringify(key)}: ${code(each, made)}`).join(', ')} }`;
}

/** The program that somebody would have written by hand, with each property spelled as L1 wants it. */
function program(templates: readonly Synthesized[]): string {
  const library = require('aws-cdk-lib');
  const known = classes();
  const scratch = new library.App();
  const parser = { parseValue: (value: unknown) => value, handleAttributes: () => {} };
  const lines = [
    `const cdk = require(${JSON.stringify(require.resolve('aws-cdk-lib'))});`,
    'const app = new cdk.App();',
    'let stack, at;',
  ];
  for (const { name, account, region, template } of templates) {
    const scope = new library.Stack(scratch, `Of${name}`);
    const env = JSON.stringify({ account, region });
    lines.push(`stack = new cdk.Stack(app, ${JSON.stringify(name)}, { env: ${env} }); at = {};`);
    const made = new Set<string>();
    const dependencies: string[] = [];
    for (const [id, resource] of Object.entries(template.Resources)) {
      const { Type, Properties, DependsOn = [], DeletionPolicy, UpdateReplacePolicy } = resource;
      const properties = marked(Properties ?? {});
      const key = JSON.stringify(id);
      const [module, className] = known.get(Type) ?? [];
      if (module && className) {
        const raw = { Type, Properties: properties };
        const l1 = library[module][className]._fromCloudFormation(scope, id, raw, { parser });
        const props = code(l1.cfnProperties, made);
        lines.push(`at[${key}] = new cdk.${module}.${className}(stack, ${key}, ${props});`);
      } else {
        const props = code({ type: Type, properties }, made);
        lines.push(`at[${key}] = new cdk.CfnResource(stack, ${key}, ${props});`);
      }
      if (DeletionPolicy) lines.push(`at[${key}].cfnOptions.deletionPolicy = '${DeletionPolicy}';`);
      if (UpdateReplacePolicy)
        lines.push(`at[${key}].cfnOptions.updateReplacePolicy = '${UpdateReplacePolicy}';`);
      for (const other of [DependsOn].flat())
        dependencies.push(`at[${key}].addResourceDependency(at[${JSON.stringify(other)}]);`);
      made.add(id);
    }
    lines.push(...dependencies);
  }
  return `${lines.join('\n')}\napp.synth();\n`;
}

export async function benchSynth(rounds: number, progress: (line: string) => void): Promise<SynthBench> {
  const folder = await mkdtemp(join(tmpdir(), 'sovereign-bench-'));
  try {
    const { context } = JSON.parse(await readFile(join(root, 'cdk.json'), 'utf8'));
    const tellCost = ['--require', join(root, 'bench/tell-cost.cjs')];
    const run = async (app: string, out: string) => {
      const ran = await measure(process.execPath, [...tellCost, app], environment(out, context));
      return { ...ran, cpu: Number(/\nCPU ([\d.]+)\n$/.exec(ran.stdout)?.[1]) };
    };
    const estate = join(root, 'bench/estate.cjs');
    const out = join(folder, 'estate');
    progress('synthesizing the estate once, to write it as plain L1');
    await run(estate, out);
    const templates = await templatesOf(out);
    const plainApp = join(folder, 'plain.cjs');
    const plainOut = join(folder, 'plain');
    await writeFile(plainApp, program(templates));

    progress(`synthesizing, 1 + ${rounds} rounds`);
    const pairs: { ours: Awaited<ReturnType<typeof run>>; plain: Awaited<ReturnType<typeof run>> }[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      // Whoever comes second finds a warm machine: they take turns.
      const first = round % 2 === 0;
      const before = first ? await run(estate, out) : undefined;
      const plain = await run(plainApp, plainOut);
      const ours = before ?? (await run(estate, out));
      if (round === 0) isTheSame(templates, await templatesOf(plainOut));
      else pairs.push({ ours, plain });
    }
    const of = (what: 'seconds' | 'cpu') => ({
      ours: spread(pairs.map(({ ours }) => ours[what])),
      plain: spread(pairs.map(({ plain }) => plain[what])),
      ratio: spread(pairs.map(({ ours, plain }) => ours[what] / plain[what])).median,
    });
    return {
      stacks: templates.length,
      resources: templates.reduce((sum, each) => sum + Object.keys(each.template.Resources).length, 0),
      rounds,
      ...of('seconds'),
      cpu: of('cpu'),
      peakMegabytes: Math.max(...pairs.map(({ ours }) => ours.peakMegabytes)),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is compared has the same stacks with the same resources, or the figures mean nothing. */
function isTheSame(ours: readonly Synthesized[], plain: readonly Synthesized[]): void {
  const list = (templates: readonly Synthesized[]) =>
    templates
      .flatMap(({ name, template }) =>
        Object.entries(template.Resources).map(
          ([id, { Type, Properties, DependsOn = [], DeletionPolicy, UpdateReplacePolicy }]) => {
            const waitsFor = [DependsOn].flat().sort();
            return JSON.stringify([
              name,
              id,
              Type,
              Properties,
              waitsFor,
              DeletionPolicy,
              UpdateReplacePolicy,
            ]);
          },
        ),
      )
      .sort();
  const [mine, theirs] = [list(ours), list(plain)];
  const differs = mine.findIndex((resource, i) => resource !== theirs[i]);
  if (mine.length === theirs.length && differs < 0) return;
  throw new Error(
    `the plain app is not the same: ${mine.length} resources and ${theirs.length}; first difference\n` +
      `${mine[differs]}\n${theirs[differs]}`,
  );
}

function environment(out: string, context: object): NodeJS.ProcessEnv {
  return { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context) };
}

async function templatesOf(out: string): Promise<Synthesized[]> {
  const manifest = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
  const templates: Synthesized[] = [];
  for (const [name, artifact] of Object.entries<Artifact>(manifest.artifacts)) {
    if (artifact.type !== 'aws:cloudformation:stack') continue;
    const template: Template = JSON.parse(
      await readFile(join(out, artifact.properties.templateFile), 'utf8'),
    );
    const [account, region] = artifact.environment.replace('aws://', '').split('/') as [string, string];
    templates.push({ name, account, region, template });
  }
  return templates;
}

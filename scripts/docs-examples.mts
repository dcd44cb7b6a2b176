// The examples of the documents, as one module, so that the compiler looks at them with everything else: what an example
// does not declare it gets from test/docs/given.ts, and what it does not import is of the packages that it says below.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Example {
  /** The document and the line: `docs/watch.md:8`. */
  readonly where: string;
  /** Without its imports. */
  readonly code: string;
  /** What it names, by where that is from. */
  readonly imports: ReadonlyMap<string, string>;
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const GIVEN = 'test/docs/given.ts';
const OURS = 'cdk-sovereign-backup';
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'aws-cdk-lib': ['App', 'Duration', 'Size', 'TimeZone'],
  'aws-cdk-lib/aws-chatbot': ['SlackChannelConfiguration'],
  'aws-cdk-lib/aws-events-targets': ['ApiDestination', 'EventBus', 'LambdaFunction'],
  'aws-cdk-lib/aws-sns': ['Topic'],
  'aws-cdk-lib/aws-sns-subscriptions': ['EmailSubscription'],
};

/** Every block of TypeScript in the README and in docs/. */
export function examples(): Example[] {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)].flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((found) => {
      const code = found[1]!.replace(/^import .*\n+/gm, '');
      const line = text.slice(0, found.index).split('\n').length + 1;
      return { where: `${file}:${line}`, code, imports: importsOf(code) };
    });
  });
}

/** Without texts and comments. */
const bare = (code: string) => code.replace(/\/\/.*$|'[^'\n]*'/gm, '');

/** Names with a capital that are not behind a dot. */
function importsOf(code: string): ReadonlyMap<string, string> {
  const names = [...bare(code).matchAll(/(?<![.\w])[A-Z]\w*/g)].map(([name]) => name);
  const from = (name: string) => Object.keys(PACKAGES).find((each) => PACKAGES[each]!.includes(name)) ?? OURS;
  return new Map(names.map((name) => [name, from(name)]));
}

/** Which of these an example names and does not declare; a property of that name is none. */
function used(code: string, names: readonly string[]): string[] {
  const text = bare(code);
  return names.filter(
    (name) => new RegExp(`(?<![.\\w])${name}\\b(?!:)`).test(text) && !text.includes(`const ${name} =`),
  );
}

function moduleOf(all: readonly Example[], folder: string): string {
  const given = readFileSync(join(root, GIVEN), 'utf8');
  const names = [...given.matchAll(/^ {2}readonly (\w+):/gm)].map(([, name]) => name!);
  const imports = new Map(all.flatMap((example) => [...example.imports]));
  return [
    ...[...imports].map(([name, from]) => `import { ${name} } from '${from}';`),
    `import type { Given } from '${relative(folder, join(root, GIVEN))}';`,
    'export const EXAMPLES: Readonly<Record<string, (given: Given) => void>> = {',
    ...all.map(
      ({ where, code }) =>
        `'${where}': ({ ${used(code, names).join(', ')} }) => {\n{ ${code.trimEnd().replace(/\n/g, '\n  ')}\n} },`,
    ),
    '};',
    '',
  ].join('\n');
}

/** Writes the module where the compiler, and the test that runs the examples, find it. */
export function writeExamples(): void {
  const folder = join(root, '.cache/docs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'examples.ts'), moduleOf(examples(), folder));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeExamples();

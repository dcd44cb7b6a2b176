// Runs cfn-lint on every template of a cdk.out, each for the region of its stack. A finding passes only
// with an explanation in scripts/cfn-lint-explained.json; an explanation that explains nothing fails, too.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CfnLint } from './cfn-lint.mts';

interface Explanation {
  /** cfn-lint's rule, such as `W3005`. */
  rule: string;
  /** Regular expression on the finding's path in the template. */
  path: string;
  because: string;
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cfnLint = new CfnLint(root);
const explained: Explanation[] = JSON.parse(
  readFileSync(join(root, 'scripts/cfn-lint-explained.json'), 'utf8'),
);
const used = new Set<Explanation>();

interface Artifact {
  type: string;
  environment?: string;
  properties?: { templateFile?: string };
}

const folder = process.argv[2] ?? 'cdk.out';
const manifest: { artifacts: Record<string, Artifact> } = JSON.parse(
  readFileSync(join(folder, 'manifest.json'), 'utf8'),
);
const stacks = Object.values(manifest.artifacts).filter(
  (artifact) => artifact.type === 'aws:cloudformation:stack',
);
let unexplained = 0;
for (const { properties, environment } of stacks) {
  const file = properties?.templateFile ?? '';
  const region = environment?.split('/').pop() ?? 'us-east-1';
  for (const finding of await cfnLint.lint(join(folder, file), region)) {
    const path = (finding.Location.Path ?? []).join('.');
    const reason = explained.find(
      (each) => each.rule === finding.Rule.Id && new RegExp(each.path).test(path),
    );
    if (reason) used.add(reason);
    else {
      unexplained += 1;
      console.log(
        `${file}:${finding.Location.Start.LineNumber} ${finding.Rule.Id} ${path}: ${finding.Message}`,
      );
    }
  }
}
const stale = explained.filter((each) => !used.has(each));
for (const { rule, path } of stale) console.log(`explained, but not found any more: ${rule} ${path}`);
console.log(
  `cfn-lint: ${stacks.length} templates, ${unexplained} unexplained findings, ${used.size} explained kinds`,
);
if (stacks.length === 0) console.log(`no stack in ${folder}`);
if (unexplained + stale.length > 0 || stacks.length === 0) process.exitCode = 1;

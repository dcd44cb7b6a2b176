import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import type { AuditResult } from '../../lib/residency/model';
import { lines, planTo, secretTo, vaultArn } from '../residency/template';
import { Workplace } from './command';

const work = new Workplace();
afterAll(() => work.remove());

const HOME = ['--region', 'eu-west-1', '--account', '111111111111'];
const schema = (name: string) => JSON.parse(readFileSync(`schema/${name}.schema.json`, 'utf8'));
const ajv = new Ajv({ allErrors: true, strict: false });
ajv.addSchema(schema('audit'), 'audit.schema.json');
const isAudit = ajv.getSchema('audit.schema.json')!;

function audited(...args: string[]): AuditResult {
  const done = work.run(['audit', ...args, '--format', 'json']);
  if (done.stdout === '') throw new Error(`exit ${done.status}: ${done.stderr}`);
  const result = JSON.parse(done.stdout);
  if (!isAudit(result)) throw new Error(ajv.errorsText(isAudit.errors));
  return result as AuditResult;
}

const away = { Resources: { P: planTo(vaultArn('us-east-1')) } };
const near = { Resources: { P: planTo(vaultArn('eu-central-1')) } };
const open = {
  Parameters: { Dr: { Type: 'String' } },
  Resources: { S: secretTo({ Ref: 'Dr' }) },
};

describe('exit codes', () => {
  test.each([
    [0, [work.file('near.json', near)]],
    [1, [work.file('away.json', away)]],
    [0, [work.file('open.json', open)]],
    [1, ['open.json', '--strict']],
    [0, ['open.json', '--strict', '--param', 'Dr=eu-central-1']],
    [1, ['open.json', '--param', 'Dr=us-east-1']],
    [2, ['missing.json']],
  ])('%i for %j', (status, args) => {
    expect(work.run(['audit', ...args, ...HOME]).status).toBe(status);
  });
});

describe('output', () => {
  test('JSON is one document that fits its schema, the same bytes every time', () => {
    const once = work.run(['audit', 'away.json', 'open.json', ...HOME, '--format', 'json']);
    expect(isAudit(JSON.parse(once.stdout))).toBe(true);
    expect(once.stderr).toBe('');
    expect(work.run(['audit', 'away.json', 'open.json', ...HOME, '--json']).stdout).toBe(once.stdout);
    expect(JSON.parse(once.stdout).edges[0]).toMatchObject({
      verdict: 'violation',
      template: 'away.json',
      logicalId: 'P',
      resourceType: 'AWS::Backup::BackupPlan',
      propertyPath: 'BackupPlan.BackupPlanRule[0].CopyActions[0].DestinationBackupVaultArn',
      what: 'backup',
      from: { region: 'eu-west-1', account: '111111111111', partition: 'aws', regime: 'eu' },
      to: { region: 'us-east-1', account: '111111111111', partition: 'aws', regime: 'us' },
    });
  });

  test('--out writes the result and says so on standard error only', () => {
    const done = work.run(['audit', 'away.json', ...HOME, '--json', '--out', 'out.json']);
    expect(done.stdout).toBe('');
    expect(done.stderr).toContain('1 violation');
    expect(JSON.parse(readFileSync(join(work.folder, 'out.json'), 'utf8')).summary.violation).toBe(1);
    expect(work.run(['audit', 'away.json', '--out', 'no/such/folder/x']).status).toBe(2);
  });

  test('SARIF names the line of the resource', () => {
    const done = work.run(['audit', 'away.json', ...HOME, '--format', 'sarif']);
    const [run] = JSON.parse(done.stdout).runs;
    const [result] = run.results;
    expect(result).toMatchObject({ ruleId: 'cross-regime', level: 'error', kind: 'fail' });
    expect(run.tool.driver.rules[result.ruleIndex].id).toBe('cross-regime');
    expect(result.locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'away.json' },
      region: { startLine: 3 },
    });
  });

  test('table and markdown let nothing of a template steer a terminal or a page', () => {
    const evil = '\u001b[2J<img src=x>|[a](http://b)';
    work.file('evil.json', { Resources: { [evil]: secretTo('us-east-1') } });
    const table = work.run(['audit', 'evil.json', ...HOME]).stdout;
    expect(table).toContain('violation');
    expect(table).not.toContain('\u001b');
    const markdown = work.run(['audit', 'evil.json', ...HOME, '--format', 'markdown']).stdout;
    expect(markdown).toContain('**violation**');
    expect(markdown).not.toContain('\u001b');
    expect(markdown.replace(/`[^`]*`/g, '')).not.toMatch(/<img|\]\(/);
    // Backquotes of its own, and what looks like emphasis of ours, are no marks.
    const quoting = `\`|\n\n## Nothing leaves<img src=x>[a](http://b) \`**violation**`;
    work.file('quoting.json', {
      Resources: {
        S: { Type: 'AWS::SecretsManager::Secret', Properties: { ReplicaRegions: [{ Region: quoting }] } },
      },
    });
    const quoted = work.run(['audit', 'quoting.json', ...HOME, '--format', 'markdown']).stdout;
    const [line] = quoted.split('\n').filter((each) => each.includes('Nothing leaves'));
    expect(line!.replace(/^\| \*\*violation\*\* \|/, '')).not.toMatch(/<img|\]\(|\*\*/);
    // Six cells, in a row of the table.
    expect(line).toMatch(/^(\| [^|]+ ){6}\|$/);
    expect(quoted.split('\n').filter((each) => each.startsWith('## '))).toHaveLength(1);
  });

  test('html is a whole page', () => {
    const { stdout } = work.run(['audit', 'away.json', ...HOME, '--format', 'html']);
    expect(stdout).toMatch(/^<!doctype html>/i);
    expect(stdout).toContain('us-east-1');
  });
});

describe('inputs', () => {
  test('standard input, JSON or YAML', () => {
    const yaml =
      'Resources:\n  S:\n    Type: AWS::SecretsManager::Secret\n    Properties: {ReplicaRegions: [{Region: us-east-1}]}\n';
    for (const input of [JSON.stringify({ Resources: { S: secretTo('us-east-1') } }), yaml]) {
      expect(work.run(['audit', '-', ...HOME], { input }).status).toBe(1);
    }
  });

  test('YAML as CloudFormation reads it', () => {
    work.file(
      'forms.yaml',
      `\uFEFF---\r
AWSTemplateFormatVersion: 2010-09-09\r
Parameters:\r
  Owner: {Type: String, Default: 012345678901}\r
Conditions:\r
  Far: !Not [!Equals [!Ref Owner, '1']]\r
Resources:\r
  Plan:\r
    Type: AWS::Backup::BackupPlan\r
    Condition: Far\r
    Properties:\r
      BackupPlan:\r
        BackupPlanName: p\r
        BackupPlanRule:\r
          - RuleName: daily\r
            TargetBackupVault: !Ref Vault\r
            CopyActions:\r
              - DestinationBackupVaultArn: !Sub arn:\${AWS::Partition}:backup:us-east-1:\${Owner}:backup-vault:v\r
              - DestinationBackupVaultArn: !Join [':', [arn:aws:backup, !Select [0, !GetAZs ''], x]]\r
              - DestinationBackupVaultArn: !GetAtt Vault.BackupVaultArn\r
              - DestinationBackupVaultArn: !If\r
                  - Far\r
                  - arn:aws:backup:eu-west-3:012345678901:backup-vault:v\r
                  - !Ref AWS::NoValue\r
  Vault:\r
    Type: AWS::Backup::BackupVault\r
`,
    );
    const { edges } = audited('forms.yaml', '--region', 'eu-west-1', '--account', '012345678901');
    expect(
      edges.map(
        ({ to, propertyPath }) => `${propertyPath.match(/CopyActions\[\d\]/)} ${to.region} ${to.account}`,
      ),
    ).toEqual(['CopyActions[0] us-east-1 012345678901', 'CopyActions[3] eu-west-3 012345678901']);
  });

  test('a folder: templates are found in it, other files are named', () => {
    work.file('folder/a/x.yaml', 'Resources: {S: {Type: "AWS::SQS::Queue"}}\n');
    work.file('folder/b.template', JSON.stringify(away));
    work.file('folder/package.json', { name: 'x' });
    work.file('folder/values.yaml', 'a: 1\n---\nb: 2\n');
    work.file('folder/notes.txt', 'Resources');
    const result = audited('folder', ...HOME);
    expect(result.inputs.map(({ path }) => path).sort()).toEqual(['a/x.yaml', 'b.template']);
    expect(result.findings.map(({ rule, template }) => `${rule} ${template}`).sort()).toEqual([
      'file-not-assessed package.json',
      'file-not-assessed values.yaml',
    ]);
  });

  test('a folder: a template that is broken is not passed over', () => {
    work.file('broken/bad.yaml', 'Resources:\n  A: [\n');
    work.file('broken/good.json', near);
    const done = work.run(['audit', 'broken', ...HOME]);
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('bad.yaml:3');
  });

  test('a nested template of the folder counts once, with what its parent gives it', () => {
    work.file('nested/inner.json', open);
    work.file('nested/outer.json', {
      Resources: {
        N: {
          Type: 'AWS::CloudFormation::Stack',
          Properties: { TemplateURL: './inner.json', Parameters: { Dr: 'us-west-2' } },
        },
      },
    });
    const result = audited('nested', ...HOME);
    expect(lines(result.edges)).toEqual(['secret eu-west-1 -> us-west-2 violation']);
    expect(result.summary).toMatchObject({ templates: 2, resources: 2 });
    expect(result.findings).toEqual([]);
  });

  test('a cloud assembly: environments, stages, nested stacks and construct paths', () => {
    const stack = (templateFile: string, environment: string, more = {}) => ({
      type: 'aws:cloudformation:stack',
      environment,
      properties: { templateFile, ...more },
    });
    work.file('cdk.out/manifest.json', {
      version: '50.0.0',
      artifacts: {
        'assembly-Prod': { type: 'cdk:cloud-assembly', properties: { directoryName: 'assembly-Prod' } },
        Main: {
          ...stack('Main.template.json', 'aws://222222222222/eu-central-1', { stackName: 'main-stack' }),
          metadata: { '/Main/Secret/Resource': [{ type: 'aws:cdk:logicalId', data: 'Secret' }] },
        },
        Free: stack('Free.template.json', 'aws://unknown-account/unknown-region'),
        Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } },
      },
    });
    work.file('cdk.out/Main.template.json', { Resources: { Secret: secretTo('eu-west-3') } });
    work.file('cdk.out/Free.template.json', { Resources: { Secret: secretTo('us-east-1') } });
    work.file('cdk.out/assembly-Prod/manifest.json', {
      version: '50.0.0',
      artifacts: { ProdStack: stack('P.template.json', 'aws://333333333333/us-east-1') },
    });
    work.file('cdk.out/assembly-Prod/P.template.json', {
      Resources: {
        Nested: {
          Type: 'AWS::CloudFormation::Stack',
          Properties: { TemplateURL: { 'Fn::Sub': 'https://s3/x' } },
          Metadata: {
            'aws:asset:path': 'P.nested.template.json',
            'aws:cdk:path': 'Prod/Stack/N.NestedStack',
          },
        },
      },
    });
    work.file('cdk.out/assembly-Prod/P.nested.template.json', {
      Resources: { S: { ...secretTo('eu-west-1'), Metadata: { 'aws:cdk:path': 'Prod/Stack/N/S' } } },
    });
    const { edges, summary } = audited('cdk.out', '--region', 'eu-west-1');
    expect(
      edges.map(({ template, stack: name, constructPath, from, to, verdict }) =>
        [template, name, constructPath, from.account, from.region, to.region, verdict].join(' '),
      ),
    ).toEqual([
      'assembly-Prod/P.nested.template.json  Prod/Stack/N/S 333333333333 us-east-1 eu-west-1 violation',
      'Main.template.json main-stack Main/Secret/Resource 222222222222 eu-central-1 eu-west-3 allowed',
      'Free.template.json Free  eu-west-1 us-east-1 violation'.replace('Free  ', 'Free   '),
    ]);
    expect(summary.templates).toBe(4);
  });
});

describe('bad input: exit 2, the file, the line and what is wrong, never a stack trace', () => {
  const deepAliases = Array.from({ length: 9 }, (_, i) =>
    i === 0
      ? 'a0: &a0 [x,x,x,x,x,x,x,x,x]'
      : `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
  ).join('\n');
  test.each<[string, string, string | Uint8Array, RegExp]>([
    ['broken YAML', 'b.yaml', 'Resources:\n  A:\n    Type: [\n', /b\.yaml:4: is no valid YAML/],
    ['a tab as indentation', 't.yaml', 'Resources:\n\tA: 1\n', /t\.yaml:2/],
    ['broken JSON', 'b.json', '{\n"Resources": {\n"A": {,}}}', /b\.json:3: is no valid JSON/],
    [
      'duplicate keys in JSON',
      'd.json',
      '{"Resources": {\n"A": {"Type": "x"},\n"\\u0041": {"Type": "y"}}}',
      /d\.json:3: has the key "A" twice/,
    ],
    [
      'duplicate keys in YAML',
      'd.yaml',
      'Resources:\n  A: {Type: x}\n  A: {Type: y}\n',
      /d\.yaml:3.*duplicated/,
    ],
    ['a binary file', 'x.yaml', new Uint8Array([0x52, 0x00, 0xff, 0x01]), /x\.yaml: is a binary file/],
    ['another encoding', 'l.yaml', new Uint8Array([0x52, 0xe9, 0x72]), /not UTF-8/],
    [
      'a YAML bomb',
      'bomb.yaml',
      `${deepAliases}\nResources: {A: {Type: x, Properties: {P: *a8}}}\n`,
      /bomb\.yaml: the template unfolds/,
    ],
    [
      'an alias that holds itself',
      'self.yaml',
      'Resources: &r {A: {Type: x, Properties: *r}}\n',
      /self\.yaml: is nested/,
    ],
    ['no template', 'p.json', '{"name": "x"}', /p\.json: is no CloudFormation template: it has name/],
    ['a list', 'list.json', '[1]', /it is a list/],
    ['nothing', 'e.json', ' ', /e\.json: is empty/],
    [
      'a resource without type',
      'n.json',
      '{"Resources": {"A": {"Type": "x"}, "B": {}}}',
      /the resource B has no Type/,
    ],
    [
      'two templates in one file',
      'two.yaml',
      'Resources: {A: {Type: x}}\n---\nResources: {A: {Type: x}}\n',
      /2 templates/,
    ],
    ['brackets without end', 'deep.yaml', `Resources: ${'['.repeat(50_000)}`, /deep\.yaml/],
  ])('%s', (_what, name, content, message) => {
    work.file(name, content);
    const done = work.run(['audit', name, ...HOME]);
    expect(done.stderr).toMatch(message);
    expect(done.stderr).not.toMatch(/\n\s+at |unexpected failure/);
    expect([done.status, done.stdout]).toEqual([2, '']);
  });

  test.each([
    [['--region', 'mars-1'], /--region mars-1/],
    [['--account', '12'], /twelve digits/],
    [['--param', 'x'], /NAME=VALUE/],
    [['--param', 'Nobody=1'], /no template given has a parameter/],
    [['--now', 'soon'], /--now soon/],
    [['--format', 'pdf'], /Allowed choices/],
    [['--policy', 'missing.yaml'], /missing\.yaml: does not exist/],
  ])('%j', (args, message) => {
    const done = work.run(['audit', 'near.json', ...args]);
    expect(done.stderr).toMatch(message);
    expect(done.status).toBe(2);
  });

  test('two hundred levels of functions, and five thousand resources, are no bad input', () => {
    let value: unknown = 'us-east-1';
    for (let i = 0; i < 200; i++)
      value = i % 2 ? { 'Fn::Join': ['', [value]] } : { 'Fn::If': [`C${i}`, value, 'eu-west-1'] };
    const resources = Object.fromEntries(
      Array.from({ length: 5000 }, (_, i) => [`S${i}`, secretTo('us-east-1')]),
    );
    work.file('deep.json', { Resources: { S: secretTo(value) } });
    work.file('wide.json', { Resources: resources });
    expect(audited('deep.json', ...HOME).summary.violation).toBe(1);
    expect(audited('wide.json', ...HOME).summary.violation).toBe(5000);
  });
});

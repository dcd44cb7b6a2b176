// How fast the audit is: a thousand templates of five hundred resources, and whether time grows with their number alone.
// `node bench/audit.mts` prints one JSON document; `--quick` takes a tenth of the templates.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const cli = join(root, 'dist/bin/sovereign-backup.mjs');
const REGIONS = ['eu-west-1', 'eu-central-1', 'us-east-1', 'ap-southeast-2'];

export interface AuditRun {
  readonly name: string;
  readonly templates: number;
  readonly resources: number;
  readonly megabytes: number;
  readonly edges: number;
  readonly seconds: number;
  /** Peak resident memory of the process. */
  readonly peakMegabytes: number;
}

export interface AuditBench {
  readonly runs: readonly AuditRun[];
  /** Time per resource of the largest run over that of a run a tenth as large: 1 is linear. */
  readonly growth: number;
  readonly startUpMilliseconds: number;
  /** Start-up of Node itself, on the same machine in the same run. */
  readonly nodeMilliseconds: number;
}

/** A resource as real templates have them: mostly such as move nothing, one in ten with an edge. */
function resource(i: number): object {
  const tags = [
    { Key: 'service', Value: `service-${i % 17}` },
    { Key: 'owner', Value: { Ref: 'Owner' } },
  ];
  switch (i % 10) {
    case 0:
      return {
        Type: 'AWS::Backup::BackupPlan',
        Properties: {
          BackupPlan: {
            BackupPlanName: `plan-${i}`,
            BackupPlanRule: [
              {
                RuleName: 'daily',
                TargetBackupVault: { Ref: 'R1' },
                CopyActions: [
                  {
                    DestinationBackupVaultArn: {
                      'Fn::Sub': `arn:\${AWS::Partition}:backup:${REGIONS[i % 4]}:\${AWS::AccountId}:backup-vault:v${i}`,
                    },
                  },
                ],
              },
            ],
          },
        },
      };
    case 1:
      return {
        Type: 'AWS::Backup::BackupVault',
        Properties: { BackupVaultName: `vault-${i}`, BackupVaultTags: {} },
      };
    case 2:
    case 3:
      return {
        Type: 'AWS::S3::Bucket',
        Properties: {
          BucketName: { 'Fn::Join': ['-', ['bucket', { Ref: 'AWS::AccountId' }, String(i)]] },
          VersioningConfiguration: { Status: 'Enabled' },
          Tags: tags,
        },
      };
    case 4:
      return {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
            ],
          },
          Tags: tags,
        },
      };
    case 5:
      return {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Handler: 'index.handler',
          Runtime: 'nodejs24.x',
          Role: { 'Fn::GetAtt': [`R${i - 1}`, 'Arn'] },
          Code: { ZipFile: 'exports.handler = async () => {};' },
          Environment: { Variables: { BUCKET: { Ref: `R${i - 2}` } } },
        },
      };
    case 6:
      return { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 300, Tags: tags } };
    case 7:
      return {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          BillingMode: 'PAY_PER_REQUEST',
        },
      };
    case 8:
      return { Type: 'AWS::SNS::Topic', Properties: { DisplayName: `topic ${i}`, Tags: tags } };
    default:
      return {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: {
          MetricName: 'Errors',
          Namespace: 'AWS/Lambda',
          Threshold: 1,
          EvaluationPeriods: 1,
          ComparisonOperator: 'GreaterThanThreshold',
          AlarmActions: [{ Ref: `R${i - 1}` }],
        },
      };
  }
}

function template(resources: number): string {
  const declared: Record<string, object> = {};
  for (let i = 0; i < resources; i++) declared[`R${i}`] = resource(i);
  const parameters = { Owner: { Type: 'String', Default: 'platform' } };
  return JSON.stringify(
    { AWSTemplateFormatVersion: '2010-09-09', Parameters: parameters, Resources: declared },
    null,
    1,
  );
}

/** The same template as people write YAML: block style, short forms. */
function yamlOf(json: string): string {
  const write = (value: unknown, indent: string): string => {
    if (Array.isArray(value)) {
      return value.length === 0
        ? ' []'
        : value.map((one) => `\n${indent}-${write(one, `${indent}  `)}`).join('');
    }
    if (typeof value !== 'object' || value === null) return ` ${JSON.stringify(value)}`;
    const entries = Object.entries(value);
    if (entries.length === 0) return ' {}';
    const [[key, argument]] = entries as [[string, unknown]];
    if (entries.length === 1 && (key === 'Ref' || key.startsWith('Fn::'))) {
      return ` !${key.replace('Fn::', '')}${write(argument, indent)}`;
    }
    return entries.map(([name, one]) => `\n${indent}${name}:${write(one, `${indent}  `)}`).join('');
  };
  return `${write(JSON.parse(json), '').trimStart()}\n`;
}

function run(name: string, templates: number, resources: number, text: string, extension: string): AuditRun {
  const folder = mkdtempSync(join(tmpdir(), 'audit-bench-'));
  try {
    mkdirSync(join(folder, 'templates'));
    for (let i = 0; i < templates; i++) writeFileSync(join(folder, 'templates', `t${i}.${extension}`), text);
    const out = join(folder, 'result.json');
    // The kernel's own account of the process's peak memory, from inside it at its end.
    const probe = join(folder, 'probe.mjs');
    const memory = join(folder, 'memory');
    writeFileSync(
      probe,
      `import{writeFileSync}from'node:fs';process.on('exit',()=>writeFileSync(${JSON.stringify(memory)},String(process.resourceUsage().maxRSS)));`,
    );
    const started = performance.now();
    const args = ['audit', join(folder, 'templates'), '--region', 'eu-west-1', '--account', '111111111111'];
    const child = spawnSync(
      process.execPath,
      ['--import', pathToFileURL(probe).href, cli, ...args, '--format', 'json', '--out', out],
      { encoding: 'utf8' },
    );
    const seconds = (performance.now() - started) / 1000;
    if (child.status !== 1) throw new Error(`the audit ended with ${child.status}: ${child.stderr}`);
    const { summary } = JSON.parse(readFileSync(out, 'utf8'));
    return {
      name,
      templates: summary.templates,
      resources: templates * resources,
      megabytes: round((templates * text.length) / 1e6),
      edges: summary.edges,
      seconds: round(seconds),
      peakMegabytes: Math.round(Number(readFileSync(memory, 'utf8')) / 1024),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The fastest of a few: what the machine can do when it does nothing else. */
function fastest(args: readonly string[]): number {
  const times = Array.from({ length: 7 }, () => {
    const started = performance.now();
    spawnSync(process.execPath, [...args], { stdio: 'ignore' });
    return performance.now() - started;
  });
  return Math.round(Math.min(...times));
}

const round = (value: number) => Math.round(value * 100) / 100;

export function benchAudit(quick = false): AuditBench {
  const templates = quick ? 100 : 1000;
  const json = template(500);
  const small = run('json, a tenth', templates / 10, 500, json, 'json');
  const large = run('json', templates, 500, json, 'json');
  const yaml = run('yaml', templates, 500, yamlOf(json), 'yaml');
  const one = run('one template of 5,000 resources', 1, 5000, template(5000), 'json');
  const perResource = ({ seconds, resources }: AuditRun) => seconds / resources;
  return {
    runs: [small, large, yaml, one],
    growth: round(perResource(large) / perResource(small)),
    startUpMilliseconds: fastest([cli, '--version']),
    nodeMilliseconds: fastest(['--eval', '0']),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(benchAudit(process.argv.includes('--quick')), undefined, 2));
}

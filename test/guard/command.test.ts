import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from './simulate';

const cli = join(__dirname, '../../dist/bin/sovereign-backup.mjs');
const folder = mkdtempSync(join(tmpdir(), 'guard-'));

function guard(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'guard', ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

function policyFile(policy: object): string {
  const file = join(folder, `${Math.random()}.yaml`);
  writeFileSync(file, JSON.stringify({ schemaVersion: 1, ...policy }));
  return file;
}

const exception = (expires: string) => ({
  ...{
    from: 'uk',
    to: 'eu',
    instrument: 'UK adequacy regulations',
    what: ['backup'],
    approvedBy: 'DPO',
    expires,
  },
});

const backupTo = (policies: { document: object }[], region: string) =>
  ask(
    policies.map(({ document }) => document),
    {
      action: 'backup:CopyFromBackupVault',
      resource: 'arn:aws:backup:eu-west-2:111111111111:recovery-point:a',
      context: {
        'aws:RequestedRegion': 'eu-west-2',
        'backup:CopyTargets': [`arn:aws:backup:${region}:111111111111:backup-vault:a`],
      },
    },
  );

test('prints one JSON document, and nothing else', () => {
  const { status, stdout, stderr } = guard('--regime', 'eu', '--format', 'json');
  expect([status, stderr]).toEqual([0, '']);
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({
    schemaVersion: 1,
    regime: 'eu',
    regions: expect.arrayContaining(['eu-central-1']),
  });
  expect(document.serviceControlPolicies.length).toBeGreaterThan(1);
  expect(guard('--regime', 'eu', '--json').stdout).toBe(stdout);
});

test('an exception of the policy opens what it covers until it expires', async () => {
  const open = JSON.parse(
    guard('--regime', 'uk', '--policy', policyFile({ exceptions: [exception('2999-12-31')] }), '--json')
      .stdout,
  );
  expect(await backupTo(open.serviceControlPolicies, 'eu-west-1')).toBe('Allowed');
  expect(await backupTo(open.serviceControlPolicies, 'us-east-1')).toBe('ExplicitlyDenied');
  const expired = guard(
    '--regime',
    'uk',
    '--policy',
    policyFile({ exceptions: [exception('2020-01-01')] }),
    '--json',
  );
  expect(expired.stderr).toBe('the exception from uk to eu expired on 2020-01-01 and opens nothing\n');
  expect(await backupTo(JSON.parse(expired.stdout).serviceControlPolicies, 'eu-west-1')).toBe(
    'ExplicitlyDenied',
  );
});

test('a regime of the policy, its deployers and exempt roles', () => {
  const policy = policyFile({ regimes: { 'acme-dach': { regions: ['eu-central-1', 'eu-central-2'] } } });
  const role = 'arn:aws:iam::111111111111:role/deploy';
  const { stdout } = guard(
    '--regime',
    'acme-dach',
    '--policy',
    policy,
    '--deployer',
    role,
    '--bucket',
    'ours',
    '--json',
  );
  const document = JSON.parse(stdout);
  expect(document.regions).toEqual(['eu-central-1', 'eu-central-2']);
  expect(document.bucketPolicy.Statement[0]).toMatchObject({
    Resource: 'arn:aws:s3:::ours',
    Condition: { ArnNotLike: { 'aws:PrincipalArn': [role] } },
  });
  const nobody = JSON.parse(guard('--regime', 'eu', '--no-deployers', '--json').stdout);
  expect(nobody.bucketPolicy.Statement[0]).not.toHaveProperty('Condition');
});

test('other partitions get their own ARNs', () => {
  const { stdout } = guard('--regime', 'cn', '--json');
  expect(stdout).toContain('arn:aws-cn:backup:cn-north-1:*:backup-vault:*');
  expect(stdout).not.toContain('arn:aws:');
});

test('writes each policy into a file of its own', () => {
  const out = join(folder, 'out');
  const { status, stdout } = guard('--regime', 'eu', '--out', out);
  expect(status).toBe(0);
  const files = readdirSync(out);
  expect(files).toEqual(
    expect.arrayContaining(['vault-policy.json', 'bucket-policy.json', 'key-policy-statements.json']),
  );
  expect(stdout.trim().split('\n')).toHaveLength(files.length);
  for (const file of files) expect(() => JSON.parse(readFileSync(join(out, file), 'utf8'))).not.toThrow();
});

test('for people: what to do with it, then the policies', () => {
  const { stdout } = guard('--regime', 'uk');
  expect(stdout).toMatch(/^Guard of United Kingdom \(uk; UK GDPR/);
  expect(stdout).toMatch(/- residency-uk-copies: \d{4} characters/);
  expect(stdout).toContain('== vault-policy');
});

test.each([
  [
    ['--regime', 'atlantis'],
    /--regime atlantis: is no regime of the catalogue or of the policy; there are us, us-gov, eu/,
  ],
  [['--regime', 'eu', '--exempt', '*'], /--exempt \*: must be the ARN of a role/],
  [
    ['--regime', 'eu', '--deployer', 'arn:aws:iam::*:*'],
    /--deployer arn:aws:iam::\*:\*: must be the ARN of a role/,
  ],
  [['--regime', 'eu', '--policy', 'missing.yaml'], /--policy missing\.yaml: does not exist/],
  [['--regime', 'eu', '--format', 'xml'], /Allowed choices are table, json/],
  [[], /required option '--regime <id>' not specified/],
])('%j is refused with exit 2 and no stack trace', (args, message) => {
  const { status, stdout, stderr } = guard(...args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
});

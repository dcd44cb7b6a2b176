import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { planTo, secretTo, vaultArn } from '../residency/template';
import { Workplace } from './command';

const work = new Workplace();
afterAll(() => work.remove());

const HOME = ['--region', 'eu-west-1', '--account', '111111111111'];
const schema = (name: string) => JSON.parse(readFileSync(`schema/${name}.schema.json`, 'utf8'));
const ajv = new Ajv({ allErrors: true, strict: false });
const isPolicy = ajv.compile(schema('policy'));
ajv.addSchema(schema('audit'), 'audit.schema.json');
const isDiff = ajv.compile({ ...schema('diff'), $id: 'diff.schema.json' });

const withPolicy = (text: string) => {
  work.file('policy.yaml', text);
  work.file('t.json', { Resources: { S: secretTo('us-east-1') } });
  return work.run(['audit', 't.json', ...HOME, '--policy', 'policy.yaml']);
};

const EXAMPLE = `schemaVersion: 1
regimes:
  eu: { regions: [eu-central-1, eu-west-1] }
  acme-dach: { name: "Germany and Switzerland by contract", regions: [eu-central-1, eu-central-2] }
assign: { "111111111111/eu-central-1": acme-dach }
exceptions:
  - { from: uk, to: eu, instrument: "UK adequacy regulations, DPA 2018 Sch. 21", what: [backup], approvedBy: "DPO", expires: 2027-06-30 }
  - { from: eu, to: us, instrument: "DPF", what: [secret], approvedBy: "DPO", expires: 2027-06-30 }
places:
  buckets: { acme-archive-us: us-east-1 }
  globalClusters: { orders: [eu-west-1, eu-central-1] }
soleRegion:
  uk: { acceptedBy: "CISO", reviewOn: 2027-06-30, reason: "no second UK region" }
`;

test('a policy with everything in it is read, and fits the schema that editors use', () => {
  const done = withPolicy(EXAMPLE);
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  expect(done.stdout).toContain('excepted');
  expect(isPolicy({ schemaVersion: 1, exceptions: [{ from: 'uk', to: 'eu' }] })).toBe(false);
  expect(
    isPolicy({
      schemaVersion: 1,
      regimes: { eu: { regions: ['eu-west-1'] } },
      assign: { '111111111111/eu-west-1': 'eu' },
      soleRegion: { uk: { acceptedBy: 'CISO', reviewOn: '2027-06-30' } },
    }),
  ).toBe(true);
});

describe('a bad policy: exit 2, with file and line', () => {
  const one = (line: string) => `schemaVersion: 1\n${line}\n`;
  test.each<[string, string, RegExp]>([
    [
      'an unknown region',
      'schemaVersion: 1\nregimes:\n  eu:\n    regions:\n      - eu-west-1\n      - eu-west-99\n',
      /policy\.yaml:6: .*"eu-west-99" is no region/,
    ],
    [
      'an exception without expiry',
      one('exceptions:\n  - { from: eu, to: us, instrument: x, approvedBy: y }'),
      /policy\.yaml:3: .*expires must be a day/,
    ],
    [
      'a day that does not exist',
      one('exceptions: [{ from: eu, to: us, instrument: x, approvedBy: y, expires: 2027-02-30 }]'),
      /expires must be a day/,
    ],
    [
      'two regimes over one region',
      one('regimes:\n  a: { regions: [eu-west-1] }\n  b: { regions: [eu-west-1] }'),
      /policy\.yaml:4: .*both a and b claim eu-west-1/,
    ],
    ['an unknown regime', one('assign: { "eu-west-1": mars }'), /policy\.yaml:2: .*"mars" is no regime/],
    [
      'an assignment to a regime that does not hold the region',
      one('assign: { "eu-west-1": us }'),
      /us does not hold eu-west-1/,
    ],
    ['a slip of the pen', one('exeptions: []'), /policy\.yaml:2: .*"exeptions" means nothing here/],
    ['no version', 'regimes: {}\n', /schemaVersion must be 1/],
    ['broken YAML', 'schemaVersion: 1\nregimes: [\n', /policy\.yaml:\d+: /],
    ['a key twice', 'schemaVersion: 1\nassign: {}\nassign: {}\n', /policy\.yaml:3: .*unique/],
    ['plain text', 'hello\n', /a policy is an object/],
    ['nothing', '', /a policy is an object/],
  ])('%s', (_what, text, message) => {
    const done = withPolicy(text);
    expect(done.stderr).toMatch(message);
    expect(done.stderr).not.toMatch(/\n\s+at |unexpected failure/);
    expect([done.status, done.stdout]).toEqual([2, '']);
  });
});

describe('diff', () => {
  work.file('old.json', { Resources: { P: planTo(vaultArn('eu-central-1'), vaultArn('us-west-2')) } });
  work.file('new.json', { Resources: { P: planTo(vaultArn('us-east-1'), vaultArn('eu-central-1')) } });
  work.file('better.json', { Resources: { P: planTo(vaultArn('eu-central-1')) } });
  const diff = (...args: string[]) => work.run(['diff', ...args, ...HOME]);

  test('what comes and what goes, not what only moved within a list', () => {
    const done = diff('old.json', 'new.json', '--format', 'json');
    expect(done.status).toBe(1);
    const found = JSON.parse(done.stdout);
    expect(isDiff(found)).toBe(true);
    expect(found.summary).toEqual({ added: 1, removed: 1, changed: 0, findingsAdded: 0, findingsRemoved: 0 });
    expect([found.added[0].to.region, found.removed[0].to.region]).toEqual(['us-east-1', 'us-west-2']);
  });

  test('exit 1 only for what the new side adds', () => {
    expect(diff('old.json', 'better.json').status).toBe(0);
    expect(diff('old.json', 'old.json').status).toBe(0);
    expect(diff('old.json', 'old.json').stdout).toBe('Nothing changes in where data goes.\n');
    expect(diff('better.json', 'old.json').status).toBe(1);
    expect(diff('old.json', 'missing.json').status).toBe(2);
  });

  test('markdown is a comment for a review', () => {
    const { stdout } = diff('old.json', 'new.json', '--format', 'markdown');
    expect(stdout).toMatch(/^## /);
    expect(stdout).toContain('### New');
    expect(stdout).toContain('### Gone');
    expect(stdout).toContain('**violation**');
  });
});

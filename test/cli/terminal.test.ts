// What people see in terminals, narrow and wide; and that a program's input is not cut to any width.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aligned } from '../../lib/residency/output/columns';
import { archiveOf } from '../archive/described-archive';
import { EVERYTHING } from '../objective/templates';
import { planTo, vaultArn } from '../residency/template';
import { runCli } from '../support/cli';
import { inTerminal } from '../support/in-terminal';

const folder = mkdtempSync(join(tmpdir(), 'terminal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LONG = 'ProdApsoutheast2E8D6DA17BackupPlanOfTheTenantsOfAustralia';
const templates = join(folder, 'a-template-of-a-long-name.template.json');
writeFileSync(
  templates,
  JSON.stringify({
    Resources: {
      [`${LONG}1`]: planTo(vaultArn('ap-southeast-4')),
      [`${LONG}2`]: planTo(vaultArn('us-east-1')),
      [`${LONG}3`]: planTo(vaultArn('ap-southeast-4', '222222222222')),
    },
  }),
);
const AUDIT = ['audit', templates, '--region', 'ap-southeast-2', '--account', '111111111111'];
const everything = join(folder, 'everything.yaml');
writeFileSync(everything, EVERYTHING);
const OBJECTIVES = ['objectives', everything, '--region', 'eu-central-1', '--account', '111111111111'];
OBJECTIVES.push('--param', 'Hours=1', '--max-data-loss', '1h');

const store = join(folder, 'store');
const archives = ['acme', 'a-tenant-of-a-longer-name'].map((tenant) => {
  const { archive, files } = archiveOf(tenant, 1);
  const place = join(store, 'local', tenant, archive);
  mkdirSync(place, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content);
  return archive;
});
const LIST = ['list', '--store', store];

const words = (lines: readonly string[]) => lines.join(' ').split(/\s+/).filter(Boolean);

describe.each([80, 100, 140])('in a terminal of %i columns', (columns) => {
  test.each([
    ['audit', AUDIT],
    ['objectives', OBJECTIVES],
    ['diff', ['diff', everything, templates, ...AUDIT.slice(2)]],
    ['list', LIST],
    ['prune', ['prune', '--dry-run', ...LIST.slice(1)]],
  ])('%s fits, and breaks no word', async (_, args) => {
    const { lines, code } = await inTerminal(columns, args);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    const plain = await runCli(args);
    expect(code).toBe(plain.code);
    const known = new Set([
      ...words([plain.stdout, plain.stderr]),
      'account',
      'where',
      'none',
      'is',
      'named',
    ]);
    expect(words(lines).filter((word) => !known.has(word))).toEqual([]);
  });
});

test('the account of most places is named once, and others where they are', async () => {
  const { lines } = await inTerminal(300, AUDIT);
  expect(lines[0]).toBe('account 111111111111 where none is named');
  expect(lines.filter((line) => /^(violation|allowed) +backup/.test(line))).toEqual([
    expect.stringMatching(/ap-southeast-2 \(au\) +us-east-1 \(us\) .*2$/),
    expect.stringMatching(/ap-southeast-2 \(au\) +ap-southeast-4 \(au\) .*1$/),
    expect.stringMatching(/ap-southeast-2 \(au\) +ap-southeast-4 222222222222 \(au\) .*3$/),
  ]);
});

test('elsewhere a record is one line, whatever a terminal would have', async () => {
  const env = { COLUMNS: '40' };
  const { stdout: audit } = await runCli(AUDIT, { env });
  for (const number of [1, 2, 3])
    expect(audit).toMatch(
      new RegExp(
        `^\\w+ +backup +ap-southeast-2 111111111111 \\(au\\) .*template\\.json +${LONG}${number}$`,
        'm',
      ),
    );
  const { stdout: list } = await runCli(LIST, { env });
  expect(list.split('\n').filter((line) => archives.some((archive) => line.endsWith(archive)))).toHaveLength(
    2,
  );
  expect((await inTerminal(40, [...LIST, '--json'])).lines.join('\n')).toBe(
    (await runCli([...LIST, '--json'])).stdout.trimEnd(),
  );
});

test('cells are wrapped at words, numbers stay with their units, and what cannot be wrapped stays whole', () => {
  const rows = [
    ['EVERY', 'REGIONS', 'NAME'],
    ['every 7 d', 'eu-central-1 eu-west-1', 'a-name'],
  ];
  expect(aligned(rows, 26)).toEqual([
    'EVERY      REGIONS',
    '    NAME',
    'every 7 d  eu-central-1',
    '           eu-west-1',
    '    a-name',
  ]);
  expect(aligned(rows, 10)[3]).toBe('          eu-west-1');
  expect(aligned(rows)).toEqual([
    'EVERY      REGIONS                 NAME',
    'every 7 d  eu-central-1 eu-west-1  a-name',
  ]);
});

import { runCli } from '../support/cli';
import { inTerminal } from '../support/in-terminal';

let commands: string[];
beforeAll(async () => {
  const { stdout } = await runCli(['help']);
  commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'help');
});

test('every command says what it takes, and no default in the words of a program', async () => {
  expect(commands).toEqual(expect.arrayContaining(['audit', 'restore', 'settings', 'undo']));
  for (const command of commands) {
    const { code, stdout, stderr } = await runCli([command, '--help']);
    expect([command, code, stderr]).toEqual([command, 0, '']);
    expect([command, stdout]).toEqual([
      command,
      expect.not.stringMatching(/default: (\[|\{|undefined|null)/),
    ]);
    // Whoever is woken thinks in the time of the wall.
    if (stdout.includes('--at <time>')) expect(stdout.replace(/\s+/g, ' ')).toContain('in UTC unless');
  }
});

test('a name that begins with a dash is not just an unknown option', async () => {
  const { code, stderr } = await runCli(['list', '-acme', '--store', '.']);
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('a name that begins with a dash goes after --'),
  ]);
});

test('all of it fits a terminal of 80 columns but what is one word, names what is required, and copies into a shell', async () => {
  for (const command of commands) {
    const { stdout } = await runCli([command, '--help']);
    const long = stdout
      .split('\n')
      .filter((line) => line.length > 80 && !/^ +(--[a-z-]+ )?\S+( \\)?$/.test(line));
    expect([command, long]).toEqual([command, []]);
  }
  const { stdout: dump } = await runCli(['dump', '--help']);
  expect(dump.replace(/\s+/g, ' ')).toContain('(no password in it) (required)');
  expect(dump).toContain(
    '  sovereign-backup dump acme --database acme_prod \\\n' +
      '    --server postgres://backup@db:5432 --store /backup --key-file backup.key \\\n' +
      '    --json\n',
  );
  const { lines: narrow } = await inTerminal(50, ['dump', '--help']);
  expect(narrow.filter((line) => /^\S/.test(line) && line.length > 50)).toEqual([]);
  expect(narrow).toContain('The dump is read in one snapshot, read back while');
});

import { runCli } from '../support/cli';

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

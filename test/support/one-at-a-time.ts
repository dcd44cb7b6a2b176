// What holds of several runs on one database at once, whatever the engine.
import type { ChildProcess } from 'node:child_process';
import { ok, type Ran, type RunOptions } from './cli';
import type { Workspace } from './tenants';

const WAITING = /another restore or undo .*: waiting for it/;
const REFUSED = /another restore or undo .*: waiting for it[\s\S]*run again when the other one/;

/**
 * While one restore has the lock, another run waits in vain and is refused, and a restore that is let in later ends well, as the
 * first one does. The holder keeps the first one from creating its copy until it ends.
 */
export async function oneAtATime(
  work: Workspace,
  holder: { end(): Promise<unknown> },
  refuse: () => Promise<Ran>,
): Promise<void> {
  const restore = (options: RunOptions) => work.restore('acme', [], options);
  const running: Promise<Ran>[] = [];
  try {
    running.push((await runUntil(/restoring into/, restore)).ended);
    const refused = await refuse();
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(refused.stderr).toMatch(REFUSED);
    running.push((await runUntil(WAITING, restore)).ended);
  } finally {
    await holder.end();
  }
  for (const each of running) ok(await each);
}

/** Runs it until its standard error matches, and gives how it goes on. Ending without having said that is a failure. */
async function runUntil(
  said: RegExp,
  run: (options: RunOptions) => Promise<Ran>,
): Promise<{ readonly ended: Promise<Ran> }> {
  let ended!: Promise<Ran>;
  await new Promise<void>((resolve, reject) => {
    let text = '';
    const started = (child: ChildProcess) =>
      child.stderr!.on('data', (more) => {
        text += more;
        if (said.test(text)) resolve();
      });
    ended = run({ started });
    ended.then(({ stderr }) => reject(new Error(`it ended without having said ${said}: ${stderr}`)), reject);
  });
  return { ended };
}

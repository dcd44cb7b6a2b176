import { once } from 'node:events';
import { feed, startTool, type Tool } from '../../lambda/engine/tool';

const start = (script: string) =>
  startTool('/bin/sh', ['-c', script], { env: {}, stdio: ['pipe', 'pipe', 'pipe'] });

const gone = async ({ child }: Tool) => {
  if (child.exitCode === null) await once(child, 'exit');
};

/** Hands over a little, then waits until the tool has ended, and goes on. */
async function* around(tool: Tool, rest: () => AsyncIterable<Buffer> | Iterable<Buffer>) {
  yield Buffer.from('head');
  await gone(tool);
  yield* rest();
}

test('all of a dump, more than a pipe holds, arrives', async () => {
  const tool = start('wc -c');
  let counted = '';
  tool.child.stdout!.on('data', (text) => (counted += text));
  await feed(
    (async function* () {
      for (let block = 0; block < 50; block += 1) yield Buffer.alloc(100_000);
    })(),
    tool,
  );
  expect(await tool.exited).toBe(0);
  expect(Number(counted)).toBe(5_000_000);
});

test('a tool that ends when it has what it needs is not waited for, and the dump is read to its end', async () => {
  const tool = start('head -c 4 >/dev/null');
  let read = 0;
  await feed(
    around(tool, function* () {
      for (; read < 20; read += 1) yield Buffer.alloc(100_000);
    }),
    tool,
  );
  expect([read, await tool.exited]).toEqual([20, 0]);
});

test('what is wrong with the end of a dump is told although the tool has ended well', async () => {
  const tool = start('head -c 4 >/dev/null');
  const fed = feed(
    around(tool, () => {
      throw new Error('cut off');
    }),
    tool,
  );
  await expect(fed).rejects.toThrow('cut off');
  expect(await tool.exited).toBe(0);
});

test.each(['exit 3', 'kill -9 $$'])('nothing more is read for a tool that failed: %s', async (script) => {
  const tool = start(`head -c 4 >/dev/null; ${script}`);
  let ended = false;
  await feed(
    around(tool, function* () {
      try {
        for (;;) yield Buffer.alloc(100_000);
      } finally {
        ended = true;
      }
    }),
    tool,
  );
  expect(ended).toBe(true);
});

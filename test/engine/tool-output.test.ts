import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { openOutput } from '../../lambda/engine/tool-output';

async function read(blocks: AsyncIterable<Buffer>): Promise<string> {
  let all = '';
  for await (const block of blocks) all += block.toString();
  return all;
}

async function outputOf(script: string) {
  const output = await openOutput();
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', output.given, 'inherit'] });
  output.given.destroy();
  return { child, output, all: await read(output.blocks()) };
}

test('all that a tool writes is read, in order, however much and however little it writes at once', async () => {
  const { all, output } = await outputOf('seq 1 400000; sleep 0.1; printf x; sleep 0.1; seq 1 3');
  const lines = Array.from({ length: 400000 }, (_, n) => `${n + 1}\n`).join('');
  expect(all).toBe(`${lines}x1\n2\n3\n`);
  await output.ended;
});

test('the tool gets our own connection, and nobody who connects before us', async () => {
  const strangers: Socket[] = [];
  const received: string[] = [];
  const original = Socket.prototype.connect;
  const spy = jest.spyOn(Socket.prototype, 'connect').mockImplementation(function (
    this: Socket,
    ...args: unknown[]
  ) {
    if (strangers.length === 0) {
      const { port } = (args[0] as [{ port: number }])[0];
      const stranger = new Socket();
      strangers.push(stranger);
      stranger.on('data', (bytes) => received.push(String(bytes))).on('error', () => {});
      (original as (this: Socket, to: object) => Socket).call(stranger, { port, host: '127.0.0.1' });
    }
    return original.apply(this, args as never);
  });
  const { all } = await outputOf('echo secret').finally(() => spy.mockRestore());
  expect(all).toBe('secret\n');
  expect(strangers).toHaveLength(1);
  if (!strangers[0]!.closed) await once(strangers[0]!, 'close');
  expect(strangers[0]!.connecting).toBe(false);
  expect(received).toEqual([]);
});

test('afterwards nobody is listened to', async () => {
  const output = await openOutput();
  const port = output.given.localPort!;
  const late = connect(port, '127.0.0.1');
  await expect(once(late, 'connect')).rejects.toThrow(/ECONNREFUSED/);
  output.given.destroy();
  output.close();
});

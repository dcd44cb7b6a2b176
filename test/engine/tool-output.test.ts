import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Server, Socket } from 'node:net';
import { openOutput } from '../../lambda/engine/tool-output';

async function read(blocks: AsyncIterable<Buffer>): Promise<string> {
  let all = '';
  for await (const block of blocks) all += block.toString();
  return all;
}

async function outputOf(script: string) {
  const output = await openOutput();
  spawn('sh', ['-c', script], { stdio: ['ignore', output.given, 'inherit'] });
  output.given.destroy();
  return { output, all: await read(output.blocks()) };
}

test('all that a tool writes is read, in order, however much and however little it writes at once', async () => {
  const { all, output } = await outputOf('seq 1 400000; sleep 0.1; printf x; sleep 0.1; seq 1 3');
  const lines = Array.from({ length: 400000 }, (_, n) => `${n + 1}\n`).join('');
  expect(all).toBe(`${lines}x1\n2\n3\n`);
  await output.ended;
});

/** What the tool writes, and what somebody receives who is always the first to connect; where asked, from our port. */
async function besideStranger(localAddress: string, localPort?: number) {
  const stranger = new Socket();
  let received = '';
  let came = false;
  stranger
    .once('connect', () => (came = true))
    .on('data', (bytes) => (received += bytes))
    .on('error', () => {});
  const connected = Socket.prototype.connect as (this: Socket, to: object) => Socket;
  const spy = jest.spyOn(Socket.prototype, 'connect').mockImplementationOnce(function (
    this: Socket,
    ...args: unknown[]
  ) {
    const [to] = args[0] as [{ port: number; host: string }];
    connected.call(stranger, { ...to, localAddress, localPort });
    return connected.call(this, { ...to, localPort });
  });
  const { all } = await outputOf('echo secret').finally(() => spy.mockRestore());
  if (!stranger.closed) await once(stranger, 'close');
  expect(came).toBe(true);
  return { all, received };
}

test('the tool gets our own connection, and nobody who connects before us', async () => {
  expect(await besideStranger('127.0.0.1')).toEqual({ all: 'secret\n', received: '' });
});

test('nor who comes from our port at another address', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  expect(await besideStranger('127.0.0.2', port)).toEqual({ all: 'secret\n', received: '' });
});

test('a connection that is not accepted is an error, and no wait for ever', async () => {
  const listen = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server;
  jest.spyOn(Server.prototype, 'listen').mockImplementationOnce(function (this: Server, ...args: unknown[]) {
    this.maxConnections = 0;
    return listen.apply(this, args);
  });
  await expect(openOutput()).rejects.toThrow(/could not be connected: the connection was closed/);
});

test('afterwards nobody is listened to', async () => {
  const output = await openOutput();
  const port = output.given.localPort!;
  const late = connect(port, '127.0.0.1');
  await expect(once(late, 'connect')).rejects.toThrow(/ECONNREFUSED/);
  output.given.destroy();
  output.close();
});

import { join } from 'node:path';
import { Readable } from 'node:stream';
import { OperationError } from '../../errors.js';
import { startTool, type Tool } from '../tool.js';
import { clientEnvironment } from './clients.js';
import { packFolder } from './folder-tar.js';
import {
  checkDumped,
  checkRead,
  FOLDER_FORMAT,
  type PgDump,
  type PgDumpRequest,
  startReader,
} from './pg-dump.js';
import { makePrivateFolder, roomFor } from './private-folder.js';

/**
 * Several sessions' dump, all in one snapshot: pg_dump can write it to a folder alone. Each table goes into the stream as
 * soon as it is done; the folder stays until all is read back.
 */
export async function dumpFolder(
  request: PgDumpRequest & {
    readonly jobs: number;
    readonly at: Date;
    /** Size on the server of what is dumped. */
    readonly bytes: number;
    /** pg_dump compresses itself. */
    readonly inside: boolean;
  },
): Promise<PgDump> {
  const { address, clients, inside, jobs } = request;
  // Values that the server keeps compressed are not so in a dump.
  const needed = inside ? request.bytes : 2 * request.bytes;
  const parent = await roomFor(needed);
  if (parent === undefined)
    throw new OperationError(
      `no temporary folder on disk has room for a dump by several sessions (${Math.ceil(needed / 1e6)} MB, by the size on the server); give one by TMPDIR, or leave out --jobs, which needs none`,
    );
  const folder = await makePrivateFolder(parent);
  const path = join(folder.path, 'dump');
  const tools: Tool[] = [];
  const finished: string[] = [];
  let wake = () => {};
  let over = false;
  const dumper = startTool(
    join(clients.folder, 'pg_dump'),
    [
      '--format=directory',
      `--jobs=${jobs}`,
      // It is gone before a disk could lose it.
      '--no-sync',
      '--verbose',
      `--file=${path}`,
      ...request.args,
    ],
    {
      env: clientEnvironment(address, request.settings),
      stdio: ['ignore', 'ignore', 'pipe'],
      // Its sessions are processes of its own, which end with it only as a group.
      group: true,
      line(line) {
        const [, item] = /^pg_dump: finished item (\d+) TABLE DATA /.exec(line) ?? [];
        if (item === undefined) return;
        finished.push(`${item}.dat${inside ? '.zst' : ''}`);
        wake();
      },
    },
  );
  tools.push(dumper);
  const dumped = checkDumped(dumper, request).finally(() => {
    over = true;
    wake();
  });
  async function* ready(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      const name = finished.shift();
      if (name !== undefined) yield name;
      else if (over) break;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    await dumped;
  }
  const whole = (async () => {
    await dumped;
    const reader = startReader(request, ['--format=directory', path]);
    tools.push(reader);
    await checkRead(reader);
  })();
  whole.catch(() => {});
  const kill = () => {
    for (const tool of tools) tool.kill();
  };
  return {
    format: FOLDER_FORMAT,
    stream: Readable.from(packFolder(path, ready(), request.at), {
      objectMode: false,
      highWaterMark: 1024 * 1024,
    }),
    whole,
    kill,
    async close() {
      kill();
      // Who still writes into a folder would make it again.
      await Promise.allSettled(tools.map(({ exited }) => exited));
      await folder.remove();
    },
  };
}

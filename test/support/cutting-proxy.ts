// Between our tools and a database server: counts the bytes that pass, and cuts every connection after so many.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** Bytes that passed, both ways together, since the last `arm`. */
  passed(): number;
  /** From now on, all connections are cut when so many bytes have passed, and no new one is let in. */
  arm(cutAfter?: number): void;
  stop(): Promise<void>;
}

export async function startCuttingProxy(target: number): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let passed = 0;
  let limit = Number.POSITIVE_INFINITY;
  const cut = () => {
    for (const socket of open) socket.resetAndDestroy();
  };
  const server = createServer({ noDelay: true }, (near) => {
    if (passed >= limit) return void near.resetAndDestroy();
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        open.delete(from);
        to.end();
      });
      from.on('data', (chunk: Buffer) => {
        const rest = limit - passed;
        passed += chunk.length;
        if (rest >= chunk.length) {
          if (!to.write(chunk)) {
            from.pause();
            to.once('drain', () => from.resume());
          }
        } else {
          // What came before the cut arrives, as on a network.
          if (rest > 0) to.write(chunk.subarray(0, rest));
          setImmediate(cut);
        }
      });
      from.on('end', () => to.end());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    passed: () => passed,
    arm(cutAfter = Number.POSITIVE_INFINITY) {
      passed = 0;
      limit = cutAfter;
    },
    async stop() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

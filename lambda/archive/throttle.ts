import { setTimeout as sleep } from 'node:timers/promises';

/** Passes on so many bytes per second on average; who writes faster has to wait. */
export async function* throttled(
  source: AsyncIterable<Buffer>,
  bytesPerSecond: number,
): AsyncGenerator<Buffer, void, undefined> {
  let free = performance.now();
  for await (const chunk of source) {
    yield chunk;
    // Time that nothing came in is not saved up for a burst.
    free = Math.max(free, performance.now()) + (chunk.length / bytesPerSecond) * 1000;
    const wait = free - performance.now();
    if (wait > 0) await sleep(wait);
  }
}

/** So much of a stream one reader may be behind before the others have to wait for it. */
const ROOM = 4 * 1024 * 1024;
const TICK_MS = 100;

/** One reader's share of a stream that several read. */
export class Branch implements AsyncIterable<Buffer> {
  /** For how long the others had to wait for this reader alone, in milliseconds. */
  public late = 0;
  private readonly chunks: Buffer[] = [];
  private held = 0;
  private state: 'open' | 'ended' | 'left' = 'open';
  private fault?: unknown;
  private wakeReader = () => {};
  private wakeWriter = () => {};
  private readerWaits = false;

  public get live(): boolean {
    return this.state === 'open';
  }

  public get full(): boolean {
    return this.live && this.held >= ROOM;
  }

  public get starving(): boolean {
    return this.live && this.readerWaits;
  }

  public async push(chunk: Buffer): Promise<void> {
    if (!this.live) return;
    this.chunks.push(chunk);
    this.held += chunk.length;
    this.wakeReader();
    while (this.full)
      await new Promise<void>((resolve) => {
        this.wakeWriter = resolve;
      });
  }

  /** Nothing more comes: the stream is over, or failed with this. */
  public end(fault?: unknown): void {
    if (!this.live) return;
    this.state = 'ended';
    this.fault = fault;
    this.wakeReader();
    this.wakeWriter();
  }

  /** The reader wants no more; whoever writes goes on without it. */
  public leave(): void {
    this.state = 'left';
    this.chunks.length = 0;
    this.held = 0;
    this.wakeWriter();
    this.wakeReader();
  }

  public async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        // What failed must not be read to its end as if it were whole.
        if (this.fault !== undefined) throw this.fault;
        const chunk = this.chunks.shift();
        if (chunk) {
          this.held -= chunk.length;
          this.wakeWriter();
          yield chunk;
        } else if (!this.live) return;
        else {
          this.readerWaits = true;
          await new Promise<void>((resolve) => {
            this.wakeReader = resolve;
          });
          this.readerWaits = false;
        }
      }
    } finally {
      this.leave();
    }
  }
}

/** Gives all of a stream to every branch, at the pace of the slowest, until it ends or nobody reads any more. */
export async function feed(source: AsyncIterable<Buffer>, branches: readonly Branch[]): Promise<void> {
  try {
    for await (const chunk of source) {
      await Promise.all(branches.map((branch) => branch.push(chunk)));
      if (!branches.some(({ live }) => live)) return;
    }
    for (const branch of branches) branch.end();
  } catch (error) {
    for (const branch of branches) branch.end(error);
  }
}

/** Who takes part in a race that nobody may hold up. */
export interface Runner {
  readonly branch: Branch;
  /** Set when all of its work is done, well or not. */
  done: boolean;
}

/**
 * Watches that none holds up the others for longer than `patience` in all. Time counts against one that is full while
 * another has nothing to read, or that is still at work when another has ended.
 */
export function watchLateness(
  runners: readonly Runner[],
  patience: number,
  tooLate: (runner: Runner) => void,
): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    const ended = runners.some(({ done }) => done);
    const waiting = runners.some(({ branch }) => branch.starving);
    for (const runner of runners) {
      if (runner.done || !(ended ? !runner.branch.starving : waiting && runner.branch.full)) continue;
      runner.branch.late += passed;
      if (runner.branch.late > patience) tooLate(runner);
    }
  }, TICK_MS);
  return () => clearInterval(timer);
}

const LINE_END = 10;

/** Puts chunks together until they are enough, and cuts them after a line's end. */
export class WholeLines {
  private waiting: Buffer[] = [];
  private size = 0;

  /** From this number of bytes on, lines are given. */
  public constructor(private readonly enough: number) {}

  /** Whole lines, where there are enough. */
  public push(chunk: Buffer): Buffer | undefined {
    this.waiting.push(chunk);
    this.size += chunk.length;
    const cut = chunk.lastIndexOf(LINE_END);
    if (this.size < this.enough || cut < 0) return undefined;
    const all = this.rest();
    const end = all.length - (chunk.length - cut - 1);
    if (end < all.length) {
      this.waiting = [all.subarray(end)];
      this.size = all.length - end;
    }
    return all.subarray(0, end);
  }

  /** What was not given yet. */
  public rest(): Buffer {
    const all = this.waiting.length === 1 ? this.waiting[0]! : Buffer.concat(this.waiting, this.size);
    this.waiting = [];
    this.size = 0;
    return all;
  }
}

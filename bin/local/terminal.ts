import type { ProgressEvent } from '../../lambda/archive/requests.js';
import { OperationError } from '../../lambda/errors.js';
import { harmless } from './printable.js';

/** Messages and progress for people, on standard error: one line that is rewritten, where that is a terminal. */
export class Terminal {
  private readonly live = process.stderr.isTTY === true;
  private began = 0;
  private phase = '';
  private drawn = 0;
  private open = false;

  public say(message: string): void {
    this.endLine();
    process.stderr.write(`${harmless(message)}\n`);
  }

  public readonly progress = (event: ProgressEvent): void => {
    if (event.message !== undefined) this.say(event.message);
    if (event.bytes === undefined) return;
    const now = process.uptime();
    if (this.phase !== event.phase) {
      this.phase = event.phase;
      this.began = now;
      this.drawn = now;
    }
    // Plain lines are for logs: one in ten seconds is enough there.
    if (now - this.drawn < (this.live ? 0.2 : 10)) return;
    this.drawn = now;
    const rate = event.bytes / (now - this.began);
    const share = event.of ? ` of ${size(event.of)}` : '';
    const line = `${event.phase}: ${size(event.bytes)}${share}, ${size(rate)}/s`;
    if (this.live) {
      process.stderr.write(`\r\x1b[K${line}`);
      this.open = true;
    } else this.say(line);
  };

  public endLine(): void {
    if (this.open) process.stderr.write('\r\x1b[K');
    this.open = false;
  }

  public async ask(question: string, signal?: AbortSignal): Promise<string> {
    this.endLine();
    const { createInterface } = await import('node:readline/promises');
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await reader.question(harmless(question), signal ? { signal } : {});
    } catch (error) {
      // The cursor stands behind the question.
      process.stderr.write('\n');
      signal?.throwIfAborted();
      // By Ctrl-C or Ctrl-D.
      if ((error as Error).name !== 'AbortError') throw error;
      throw new OperationError('stopped at the question; nothing was changed');
    } finally {
      reader.close();
    }
  }
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `12.3 MB`, in powers of a thousand. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
}

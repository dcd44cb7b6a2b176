// cfn-lint as a process that is asked about one template after the other, and ends with the one that started it.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface Finding {
  readonly Rule: { readonly Id: string };
  readonly Message: string;
  readonly Location: {
    readonly Path: readonly (string | number)[] | null;
    readonly Start: { readonly LineNumber: number };
  };
}

export class CfnLint {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly waiting: { resolve: (found: Finding[]) => void; reject: (why: Error) => void }[] = [];
  private said = '';

  /** @throws when it is not installed */
  constructor(root: string) {
    const python = join(root, '.cache/venv/bin/python');
    if (!existsSync(join(root, '.cache/venv/bin/cfn-lint'))) {
      throw new Error(
        'cfn-lint is missing; get it with: node scripts/setup.mts test ' +
          '(or: python3 -m venv .cache/venv && .cache/venv/bin/pip install cfn-lint)',
      );
    }
    this.child = spawn(python, [join(root, 'scripts/cfn-lint.py')]);
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.said += text));
    this.child.on('error', (error) => this.fail(error));
    this.child.on('close', () => this.fail(new Error(`cfn-lint ended:\n${this.said}`)));
    this.child.stdin.on('error', () => {});
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.waiting.shift()?.resolve(JSON.parse(line));
      this.hold();
    });
    this.hold();
  }

  /** What it finds in the template, for the region; nothing of the rules named as ignored. */
  public lint(template: string, region: string, ignored: readonly string[] = []): Promise<Finding[]> {
    return new Promise((done, reject) => {
      this.waiting.push({ resolve: done, reject });
      this.hold();
      this.child.stdin.write(`${JSON.stringify({ template: resolve(template), region, ignored })}\n`);
    });
  }

  private fail(why: Error): void {
    for (const { reject } of this.waiting.splice(0)) reject(why);
  }

  /** Keeps this process running only while an answer is awaited. */
  private hold(): void {
    const how = this.waiting.length > 0 ? 'ref' : 'unref';
    this.child[how]();
    for (const stream of this.child.stdio) (stream as Socket | null)?.[how]();
  }
}

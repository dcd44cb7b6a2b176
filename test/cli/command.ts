import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const CLI = resolve('dist/bin/sovereign-backup.mjs');

export interface Done {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of files for one test file, and the command run in it. */
export class Workplace {
  public readonly folder = mkdtempSync(join(tmpdir(), 'sovereign-cli-'));

  public file(name: string, content: string | Uint8Array | object): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(path, raw ? content : JSON.stringify(content, undefined, 2));
    return name;
  }

  public run(args: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Done {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
      cwd: this.folder,
      encoding: 'utf8',
      input: options.input ?? '',
      env: { ...process.env, SOURCE_DATE_EPOCH: '1795478400', ...options.env },
      timeout: 60_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { status, stdout, stderr };
  }

  public remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// A stand-in for S3, KMS, Secrets Manager and STS: moto's server, for one test file.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, guard } from '../../scripts/server-process.mts';

export interface Moto {
  readonly endpoint: string;
  /** What a process needs to talk to this server and to nothing else. */
  readonly environment: Record<string, string>;
}

const server = join(__dirname, '../../.cache/venv/bin/moto_server');

/** Credentials that mean nothing anywhere. */
const environment = {
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'not-a-secret',
  AWS_REGION: 'eu-central-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

export async function startMoto(
  settings: Record<string, string> = {},
): Promise<Moto & { stop(): Promise<void> }> {
  if (!existsSync(server)) {
    throw new Error(
      `moto's server is missing (${server}); get it with: node scripts/setup.mts test ` +
        "(or: python3 -m venv .cache/venv && .cache/venv/bin/pip install 'moto[server]')",
    );
  }
  const port = await freePort();
  const child = spawn(server, ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, ...settings },
  });
  const watcher = guard(child.pid!);
  const endpoint = `http://127.0.0.1:${port}`;
  await answers(endpoint, child);
  return {
    endpoint,
    environment: { ...environment, AWS_ENDPOINT_URL: endpoint },
    stop: async () => {
      watcher.kill('SIGKILL');
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}

/** Starts the server before the file's tests and stops it after them. */
export function useMoto(): () => Moto {
  let running: (Moto & { stop(): Promise<void> }) | undefined;
  beforeAll(async () => {
    running = await startMoto();
  });
  afterAll(async () => {
    await running?.stop();
  });
  return () => {
    if (!running) throw new Error("moto's server is there only while tests run");
    return running;
  };
}

async function answers(endpoint: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`moto's server ended at once (exit ${child.exitCode})`);
    const answer = await fetch(`${endpoint}/moto-api/`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
}

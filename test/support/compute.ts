// Stands in for Lambda and ECS where a state machine calls them: runs the built worker as either would run it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { invoke } from './invoke';

export interface TaskRun {
  /** The arguments of `RunTask`. */
  readonly request: RunTask;
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunTask {
  readonly LaunchType: string;
  readonly Overrides: {
    readonly ContainerOverrides: readonly {
      readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
    }[];
  };
}

export interface Compute {
  readonly port: number;
  /** Events of the functions that were invoked. */
  readonly invoked: unknown[];
  readonly tasks: TaskRun[];
  /** How long a function has for an event, in milliseconds. */
  millisFor: (event: { readonly tenant?: string }) => number;
  /** What ECS says of a task that ended; Step Functions fails the state itself where `failed`. */
  describe: (run: TaskRun) => { readonly failed: boolean; readonly task: object };
  stop(): Promise<void>;
}

const image = join(__dirname, '../../dist/lambda/worker/main.mjs');
const credentials = { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', SecretAccessKey: 'not-a-secret' };

/** As documented: a task fails when its container ends with another exit code than 0. */
export function asDocumented({ exitCode }: TaskRun): { readonly failed: boolean; readonly task: object } {
  const task = {
    TaskArn: 'arn:aws:ecs:eu-central-1:123456789012:task/tenants/0123456789',
    Containers: [{ Name: 'worker', ExitCode: exitCode }],
    StoppedReason: 'Essential container in task exited',
  };
  return { failed: exitCode !== 0, task };
}

/**
 * Serves the functions `worker` and `RunTask`, the latter as moto cannot call ECS: its event is the arguments of
 * `RunTask`. `environment`: what function and task are told, without credentials; a task fetches its own, as from ECS.
 */
export async function startCompute(environment: () => Record<string, string>): Promise<Compute> {
  const server = createServer((request, response) => {
    serve(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  server.listen(0);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const compute: Compute = {
    port,
    invoked: [],
    tasks: [],
    millisFor: () => 900_000,
    describe: asDocumented,
    stop: () => stop(server),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (request.url === '/credentials') {
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      return answer(response, { ...credentials, Token: 'of-the-task', Expiration });
    }
    if (/worker\/invocations/.test(request.url ?? '')) return invokeWorker(body, response);
    if (/RunTask\/invocations/.test(request.url ?? '')) return runTask(body, response);
    response.writeHead(501).end(`nobody here does ${request.method} ${request.url}`);
  }

  async function invokeWorker(body: string, response: ServerResponse): Promise<void> {
    const event = JSON.parse(body) as { tenant?: string };
    compute.invoked.push(event);
    const given = {
      ...environment(),
      AWS_ACCESS_KEY_ID: credentials.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.SecretAccessKey,
    };
    const { result, error } = await invoke('worker', event, given, { millis: compute.millisFor(event) });
    if (error) return fail(response, { errorType: error.name, errorMessage: error.message });
    answer(response, result);
  }

  async function runTask(body: string, response: ServerResponse): Promise<void> {
    const request = JSON.parse(body) as RunTask;
    const overrides = request.Overrides.ContainerOverrides[0]!.Environment;
    const child = spawn(process.execPath, [image], {
      env: {
        PATH: process.env.PATH ?? '',
        ...environment(),
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/credentials`,
        ...Object.fromEntries(overrides.map(({ Name, Value }) => [Name, Value])),
      },
    });
    const [[exitCode], stdout, stderr] = await Promise.all([
      once(child, 'exit') as Promise<[number | null]>,
      text(child.stdout),
      text(child.stderr),
    ]);
    const run = { request, exitCode, stdout, stderr };
    compute.tasks.push(run);
    const { failed, task } = compute.describe(run);
    if (failed) return fail(response, { errorType: 'TaskFailedOnEcs', ...task });
    answer(response, task);
  }
  return compute;
}

function answer(response: ServerResponse, document: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(document));
}

function fail(response: ServerResponse, document: object): void {
  response.setHeader('x-amz-function-error', 'Unhandled');
  answer(response, document);
}

async function stop(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

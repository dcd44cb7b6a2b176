// A stand-in for AWS: what moto's server lacks is answered here, everything else is passed on to it.
// Own answers: AWS Backup's restore jobs (moto has no restore testing), the invocation of a Lambda function (moto needs
// Docker for it), and where a database of moto listens (moto invents a host name).
import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Moto } from '../support/moto';

export interface FakeAws {
  readonly endpoint: string;
  /** What DescribeRestoreJob answers, by job id. */
  readonly jobs: Map<string, Record<string, unknown>>;
  /** What PutRestoreValidationResult was told, by job id. */
  readonly verdicts: Map<string, { ValidationStatus: string; ValidationStatusMessage: string }>;
  /** What the customer's function does. */
  hook: (payload: unknown) => { answer: unknown; error?: string };
  /** Where the databases of moto listen. */
  database: { host: string; port: number };
  /** Answers of a test's own, before all others; undefined leaves a request to them. */
  own?: (url: URL) => unknown;
  stop(): Promise<void>;
}

export async function startFakeAws(moto: Moto): Promise<FakeAws> {
  const fake: Omit<FakeAws, 'endpoint' | 'stop'> = {
    jobs: new Map(),
    verdicts: new Map(),
    hook: () => ({ answer: { passed: true } }),
    database: { host: '127.0.0.1', port: 5432 },
  };
  const server = createServer((request, response) => {
    answer(fake, moto, request, response).catch((error: Error) => {
      response.writeHead(500).end(error.stack);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return Object.assign(fake, {
    endpoint: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

async function answer(
  fake: Omit<FakeAws, 'endpoint' | 'stop'>,
  moto: Moto,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const url = request.url ?? '/';
  const json = (status: number, value?: unknown, headers = {}) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(value === undefined ? '' : JSON.stringify(value));
  const ours = fake.own?.(new URL(url, 'http://aws'));
  if (ours !== undefined) return void json(200, ours);
  const [, jobId, validations] = /^\/restore-jobs\/([^/]+)(\/validations)?$/.exec(url) ?? [];
  if (jobId && validations && request.method === 'PUT') {
    fake.verdicts.set(jobId, JSON.parse(body.toString()));
    return void json(204);
  }
  if (jobId) {
    const job = fake.jobs.get(jobId);
    return void (job ? json(200, job) : json(400, { Message: 'no such job' }));
  }
  if (url.startsWith('/2015-03-31/functions/')) {
    const { answer: value, error } = fake.hook(JSON.parse(body.toString()));
    return void json(200, value, error ? { 'x-amz-function-error': error } : {});
  }
  const passedOn = await fetch(`${moto.endpoint}${url}`, {
    method: request.method,
    headers: Object.fromEntries(
      Object.entries(request.headers).filter(
        ([name]) => !['connection', 'content-length', 'expect', 'transfer-encoding'].includes(name),
      ) as [string, string][],
    ),
    body: body.length > 0 ? body : undefined,
  });
  let text = Buffer.from(await passedOn.arrayBuffer());
  if (/DescribeDB(Instances|Clusters)/.test(body.toString())) {
    text = Buffer.from(
      text
        .toString()
        .replace(/<Address>[^<]*<\/Address>/, `<Address>${fake.database.host}</Address>`)
        .replace(/<Port>\d+<\/Port>/, `<Port>${fake.database.port}</Port>`),
    );
  }
  const headers = Object.fromEntries(passedOn.headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding', 'connection'])
    delete headers[name];
  response.writeHead(passedOn.status, headers).end(text);
}

const bundle = join(__dirname, '../../dist/lambda/validate-restore/index.mjs');

/** Runs the built handler in a process of its own, as Lambda does; `seconds` is the time it has. */
export async function runHandler(
  event: unknown,
  environment: Record<string, string>,
  seconds = 60,
): Promise<unknown> {
  const script = `
    const { handler } = await import(${JSON.stringify(bundle)});
    const until = Date.now() + ${seconds * 1000};
    const result = await handler(${JSON.stringify(event)}, { getRemainingTimeInMillis: () => until - Date.now() });
    process.stdout.write('\\nRESULT ' + JSON.stringify(result));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH ?? '', ...environment },
  });
  lastLog = stdout;
  return JSON.parse(stdout.slice(stdout.lastIndexOf('RESULT ') + 'RESULT '.length));
}

let lastLog = '';

/** What the last run of the handler wrote. */
export const logOfLastRun = () => lastLog;

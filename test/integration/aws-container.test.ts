import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

// The image's entry with the built bundle beside it, as the Dockerfile copies them.
const entry = join(__dirname, '../../dist/lambda/worker/main.mjs');
const start = (environment: Record<string, string>, ...args: string[]) =>
  spawn(process.execPath, [entry, ...args], {
    env: { PATH: process.env.PATH ?? '', AWS_REGION: 'eu-central-1', ...environment },
  });

test('Lambda gets an answer to each invocation, good or bad, from one process', async () => {
  const events: unknown[] = [{ action: 'drop' }, { action: 'dump', tenant: 'a' }, 'no JSON'];
  const answers: {
    path: string;
    type: string | undefined;
    body: { errorType: string; errorMessage: string };
  }[] = [];
  let served = 0;
  let resolve = () => {};
  const idle = new Promise<void>((done) => {
    resolve = done;
  });
  const used = new WeakSet<object>();
  const api = createServer(async (request, response) => {
    // A connection that was kept may just have been closed.
    if (used.has(request.socket)) return void request.socket.destroy();
    used.add(request.socket);
    if (request.method === 'GET') {
      const event = events[served];
      // The last call waits, as it does while there is nothing to do.
      if (event === undefined) return resolve();
      response.writeHead(200, {
        'lambda-runtime-aws-request-id': `id-${served}`,
        'lambda-runtime-deadline-ms': String(Date.now() + 60_000),
      });
      served += 1;
      return void response.end(typeof event === 'string' ? event : JSON.stringify(event));
    }
    const type = request.headers['lambda-runtime-function-error-type'] as string | undefined;
    answers.push({ path: request.url ?? '', type, body: JSON.parse(await text(request)) });
    response.writeHead(202).end();
  });
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
  const child = start({ AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(api.address() as { port: number }).port}` });
  const said = text(child.stderr);
  const ended = once(child, 'exit').then(async ([code]) => `ended with ${code}: ${await said}`);
  expect(await Promise.race([idle, ended])).toBeUndefined();
  child.kill('SIGKILL');
  api.closeAllConnections();
  api.close();
  expect(answers.map(({ path, type }) => [path, type])).toEqual([
    ['/2018-06-01/runtime/invocation/id-0/error', 'TenantInputError'],
    ['/2018-06-01/runtime/invocation/id-1/error', 'TenantOperationError'],
    ['/2018-06-01/runtime/invocation/id-2/error', 'SyntaxError'],
  ]);
  expect(answers[1]!.body.errorMessage).toContain('lacks SOVEREIGN_REGIME');
});

test.each([
  [
    'in the environment',
    { SOVEREIGN_EVENT: '{"action":"drop","tenant":"a"}' },
    [],
    2,
    '"action" must be one of',
  ],
  ['as an argument', {}, ['{"action":"dump","tenant":"a"}'], 3, 'lacks SOVEREIGN_REGIME'],
  ['nowhere', {}, [], 2, 'the event must be an object'],
] as const)(
  'a task whose event is %s ends with an exit code and the reason',
  async (_, environment, args, code, why) => {
    const child = start(environment, ...args);
    const [errors, [exit]] = await Promise.all([text(child.stderr), once(child, 'exit'), text(child.stdout)]);
    expect(errors).toContain(why);
    expect(exit).toBe(code);
  },
);

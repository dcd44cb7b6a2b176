import { type IncomingHttpHeaders, request } from 'node:http';
import type { TimeLeft } from './deadline.js';

/**
 * The client side of Lambda's Runtime API: it is three HTTP calls, and spares the image a compiled library.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function serveInvocations(
  api: string,
  handler: (event: unknown, context: TimeLeft) => Promise<unknown>,
): Promise<never> {
  const base = `http://${api}/2018-06-01/runtime/invocation`;
  for (;;) {
    // Waits for as long as there is nothing to do; Lambda freezes the process meanwhile.
    const next = await call('GET', `${base}/next`);
    const id = String(next.headers['lambda-runtime-aws-request-id']);
    const deadline = Number(next.headers['lambda-runtime-deadline-ms']);
    const trace = next.headers['lambda-runtime-trace-id'];
    if (trace !== undefined) process.env._X_AMZN_TRACE_ID = String(trace);
    try {
      const result = await handler(JSON.parse(next.body), {
        getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
      });
      await call('POST', `${base}/${id}/response`, JSON.stringify(result ?? null));
    } catch (thrown) {
      const error = thrown as Error;
      await call(
        'POST',
        `${base}/${id}/error`,
        JSON.stringify({ errorType: error.name, errorMessage: error.message, stackTrace: [] }),
        { 'Lambda-Runtime-Function-Error-Type': error.name },
      );
    }
  }
}

/** Each on a connection of its own: one kept from before the work may be closed in the moment that it is used again. */
function call(
  method: string,
  url: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, agent: false, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if ((answer.statusCode ?? 500) < 300) resolve({ headers: answer.headers, body: text });
        else
          reject(
            new Error(
              `Lambda's runtime interface answered ${answer.statusCode} to ${method} ${url}: ${text}`,
            ),
          );
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

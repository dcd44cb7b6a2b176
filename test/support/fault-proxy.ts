// Between the code and its cloud: hands every call on, notes it, and breaks those a test asks to break.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

export interface Call {
  /** `S3 PutObject`, `KMS GenerateDataKey`, ... */
  readonly name: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly bodyBytes: number;
  /** Of calls that are not S3's, and of its deletions: what was asked. */
  readonly body: string;
  /** What the service answered, once it has. */
  status?: number;
}

export type Fault =
  /** Answered with this status, and an error of this code, without reaching the service. */
  | { readonly status: number; readonly code: string }
  /** Answered with this document instead. */
  | { readonly document: string }
  /** `cut`: the connection breaks before the service hears of it. `lost`: the service does it, the answer is lost. */
  /** `silent`: never answered. `torn`: half of the answer's body arrives. */
  | 'cut'
  | 'lost'
  | 'silent'
  | 'torn';

export interface FaultProxy {
  readonly endpoint: string;
  readonly calls: Call[];
  /** Asked for every call, which waits for the answer; the test sets it. */
  fault: (call: Call) => Fault | undefined | Promise<undefined>;
  stop(): Promise<void>;
}

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const upstream = new URL(target);
  const calls: Call[] = [];
  const proxy = { calls, fault: () => undefined } as unknown as FaultProxy;
  const server = createServer((incoming, answer) => {
    serve(incoming, answer).catch(() => answer.destroy());
  });

  async function serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const name = nameOf(incoming, body);
    const call: Call = {
      name,
      path: incoming.url ?? '',
      headers: incoming.headers,
      bodyBytes: body.length,
      body: name.startsWith('S3 ') && name !== 'S3 DeleteObjects' ? '' : body.toString('utf8'),
    };
    calls.push(call);
    const fault = await proxy.fault(call);
    if (fault === 'cut') return void incoming.socket.destroy();
    if (fault === 'silent') return;
    if (typeof fault === 'object' && 'document' in fault) {
      answer.writeHead(200, { 'content-type': 'application/xml' });
      return void answer.end(fault.document);
    }
    if (typeof fault === 'object') return refuse(answer, call.name, fault.status, fault.code);
    // The stand-in does not check what the real service does; so it is done here.
    const stated = incoming.headers['x-amz-checksum-sha256'];
    if (stated !== undefined && stated !== createHash('sha256').update(body).digest('base64')) {
      return refuse(answer, call.name, 400, 'BadDigest');
    }
    const outgoing = request({
      host: upstream.hostname,
      port: upstream.port,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    });
    outgoing.end(body);
    const [reply] = (await once(outgoing, 'response')) as [IncomingMessage];
    call.status = reply.statusCode;
    const replied: Buffer[] = [];
    for await (const chunk of reply) replied.push(chunk as Buffer);
    const replyBody = Buffer.concat(replied);
    if (fault === 'lost') return void incoming.socket.destroy();
    answer.writeHead(reply.statusCode ?? 500, reply.headers);
    if (fault === 'torn') {
      answer.write(replyBody.subarray(0, Math.floor(replyBody.length / 2)), () => incoming.socket.destroy());
      return;
    }
    answer.end(replyBody);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return Object.assign(proxy, {
    endpoint: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function refuse(answer: ServerResponse, name: string, status: number, code: string): void {
  if (name.startsWith('S3 ')) {
    answer.writeHead(status, { 'content-type': 'application/xml' });
    answer.end(
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test asked</Message></Error>`,
    );
  } else if (name.startsWith('STS ')) {
    answer.writeHead(status, { 'content-type': 'text/xml' });
    answer.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>as the test asked</Message></Error></ErrorResponse>`,
    );
  } else {
    answer.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code });
    answer.end(JSON.stringify({ __type: code, message: 'as the test asked' }));
  }
}

function nameOf(incoming: IncomingMessage, body: Buffer): string {
  const service = /\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(incoming.headers.authorization ?? '')?.[1];
  if (service === 's3' || service === undefined) return `S3 ${s3Operation(incoming)}`;
  const target = incoming.headers['x-amz-target'];
  if (typeof target === 'string') return `${service.toUpperCase()} ${target.split('.').pop()}`;
  return `${service.toUpperCase()} ${/(?:^|&)Action=(\w+)/.exec(body.toString('latin1'))?.[1] ?? '?'}`;
}

function s3Operation({ method, url }: IncomingMessage): string {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://s3');
  const ofKey = pathname.split('/').filter(Boolean).length > 1;
  if (method === 'PUT')
    return ofKey ? (searchParams.has('partNumber') ? 'UploadPart' : 'PutObject') : 'CreateBucket';
  if (method === 'POST' && searchParams.has('uploads')) return 'CreateMultipartUpload';
  if (method === 'POST' && searchParams.has('uploadId')) return 'CompleteMultipartUpload';
  if (method === 'POST' && searchParams.has('delete')) return 'DeleteObjects';
  if (method === 'DELETE') return searchParams.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method === 'HEAD') return 'HeadObject';
  if (ofKey) return searchParams.has('uploadId') ? 'ListParts' : 'GetObject';
  return searchParams.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2';
}

import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { explainS3 } from '../archive/s3-errors.js';
import { OperationError } from '../errors.js';

/** Where Step Functions wrote what became of the items of a Distributed Map. */
export interface MapResults {
  readonly ResultWriterDetails?: { readonly Bucket: string; readonly Key: string };
}

export interface TenantItem {
  readonly tenant: string;
  readonly database: string;
}

export interface Outcome {
  readonly tenant: string;
  readonly succeeded: boolean;
  /** Why not, in the words of the worker or of Step Functions. */
  readonly cause?: string;
}

interface Manifest {
  readonly DestinationBucket: string;
  readonly ResultFiles?: Record<'SUCCEEDED' | 'FAILED' | 'PENDING', readonly { readonly Key: string }[]>;
}

interface Execution {
  readonly Input?: string;
  readonly Status?: string;
  readonly Error?: string;
  readonly Cause?: string;
}

/** One outcome of every item that Step Functions reports; items it never began are not among them. */
export async function readOutcomes(client: S3Client, results: MapResults): Promise<Outcome[]> {
  const place = results?.ResultWriterDetails;
  if (!place?.Bucket || !place.Key) {
    throw new OperationError(
      'the event names no results: the Map must have a ResultWriter, and its result must reach the report',
    );
  }
  const manifest = (await readJson(client, place.Bucket, place.Key)) as Manifest;
  const outcomes: Outcome[] = [];
  for (const status of ['SUCCEEDED', 'FAILED', 'PENDING'] as const) {
    for (const file of manifest.ResultFiles?.[status] ?? []) {
      const executions = await readJson(client, manifest.DestinationBucket, file.Key);
      for (const execution of executions as Execution[]) outcomes.push(outcomeOf(execution));
    }
  }
  return outcomes;
}

function outcomeOf(execution: Execution): Outcome {
  const item = JSON.parse(execution.Input ?? '{}') as Partial<TenantItem>;
  const succeeded = execution.Status === 'SUCCEEDED';
  return {
    tenant: String(item.tenant),
    succeeded,
    ...(succeeded ? {} : { cause: causeOf(execution) }),
  };
}

/** A function's error is JSON inside the cause; its message alone is for people. */
function causeOf({ Cause, Error: name, Status }: Execution): string {
  try {
    const { errorMessage } = JSON.parse(Cause ?? '');
    if (typeof errorMessage === 'string') return errorMessage;
  } catch {
    // Not a function's error.
  }
  return Cause || name || Status || 'unknown';
}

export async function readJson(client: S3Client, bucket: string, key: string): Promise<unknown> {
  const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key })).catch((error) => {
    throw explainS3(error, `reading ${key}`, `s3://${bucket}`);
  });
  return JSON.parse(await text(answer.Body as Readable));
}

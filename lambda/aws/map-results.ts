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
  /** About so much on the server's disk, where tenants are told apart by it. */
  readonly bytes?: number;
}

export interface Outcome {
  readonly tenant: string;
  readonly succeeded: boolean;
  /** Why not, in the words of the worker or of Step Functions. */
  readonly cause?: string;
  /** Of a task that failed: where it said why. */
  readonly logStream?: string;
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
    ...(succeeded ? {} : causeOf(execution)),
  };
}

/** What a task ended with, as ECS describes it. */
interface Task {
  readonly TaskArn?: string;
  readonly StoppedReason?: string;
  readonly Containers?: readonly {
    readonly Name?: string;
    readonly ExitCode?: number;
    readonly Reason?: string;
  }[];
}

/** A function's error, and the description of a task, are JSON inside the cause; of it, this is for people. */
function causeOf({ Cause, Error: name, Status }: Execution): Pick<Outcome, 'cause' | 'logStream'> {
  try {
    const cause = JSON.parse(Cause ?? '') as Task & { readonly errorMessage?: unknown };
    if (typeof cause.errorMessage === 'string') return { cause: cause.errorMessage };
    if (cause.TaskArn) return endOf(cause);
  } catch {
    // Neither of them.
  }
  return { cause: Cause || name || Status || 'unknown' };
}

/** A task has nothing but a number to say why it failed: the reason is in its log. */
function endOf({ TaskArn, StoppedReason, Containers }: Task): Pick<Outcome, 'cause' | 'logStream'> {
  const id = TaskArn!.slice(TaskArn!.lastIndexOf('/') + 1);
  const { Name, ExitCode, Reason } = Containers?.[0] ?? {};
  const why = [Reason, StoppedReason].filter(Boolean).join('; ');
  if (ExitCode === undefined) return { cause: `the task ${id} did not run${why && `: ${why}`}` };
  return {
    cause: `the task ended with exit code ${ExitCode}${why && ` (${why})`}`,
    logStream: `${Name}/${Name}/${id}`,
  };
}

export async function readJson(client: S3Client, bucket: string, key: string): Promise<unknown> {
  const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key })).catch((error) => {
    throw explainS3(error, `reading ${key}`, `s3://${bucket}`);
  });
  return JSON.parse(await text(answer.Body as Readable));
}

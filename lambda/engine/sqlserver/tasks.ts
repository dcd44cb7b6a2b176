import { setTimeout as sleep } from 'node:timers/promises';
import { OperationError, reasonOf } from '../../errors.js';
import { explainTask, mayPass } from './explain.js';
import { type Row, type Session, SqlError, type Value } from './session.js';

export type Progress = (message: string) => void;

/** A row of `rds_task_status`. */
export interface Task {
  readonly id: number;
  readonly type: string;
  readonly lifecycle: string;
  readonly percent: number;
  readonly info: string;
  readonly object: string;
  /** Text that changes whenever RDS has anything new to say of the task. */
  readonly state: string;
}

const FIRST_PAUSE_MS = 100;
/** RDS itself writes the status down every two minutes. */
const LONGEST_PAUSE_MS = 10_000;
/** A cancelled task is waited for, so that its object can be removed; not for ever. */
const CANCEL_PATIENCE_MS = 60_000;
/** A snapshot or the maintenance window passes; tried again so long. */
const RETRY_MS = 10 * 60_000;

export const isRunning = ({ lifecycle }: Task): boolean =>
  ['CREATED', 'IN_PROGRESS', 'CANCEL_REQUESTED'].includes(lifecycle);

/** The tasks that RDS remembers of a database, for 36 days. */
export async function tasksOf(session: Session, database: string): Promise<Task[]> {
  try {
    const rows = await session.query('EXEC msdb.dbo.rds_task_status @db_name = @database', { database });
    return rows.map(taskIn);
  } catch (error) {
    throw error instanceof SqlError ? explainTask('backup', error.message, error.number) : error;
  }
}

async function taskOf(session: Session, id: number): Promise<Task> {
  const rows = await session.query('EXEC msdb.dbo.rds_task_status @task_id = @id', { id });
  const found = rows.map(taskIn).find((task) => task.id === id);
  if (!found) throw new OperationError(`RDS does not know its own task ${id} any more`);
  return found;
}

function taskIn(row: Row): Task {
  const text = (name: string) => String(row[name] ?? '');
  return {
    id: Number(row.task_id),
    type: text('task_type'),
    lifecycle: text('lifecycle'),
    percent: Number(row['% complete'] ?? 0),
    info: text('task_info'),
    object: text('S3_object_arn'),
    state: ['lifecycle', '% complete', 'task_info'].map(text).join('\0'),
  };
}

export interface TaskRequest {
  readonly session: Session;
  readonly what: 'backup' | 'restore';
  /** Calls the procedure. */
  readonly sql: string;
  readonly parameters: Readonly<Record<string, Value>>;
  readonly stalledAfter: number;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** Between two tries: what the failed one may have left. */
  readonly clean: () => Promise<void>;
}

/** Starts a task of RDS and follows it to its good end; a passing hindrance is waited out. */
export async function runTask(request: TaskRequest): Promise<Task> {
  const until = Date.now() + RETRY_MS;
  for (let pause = 1000; ; pause = Math.min(pause * 2, 60_000)) {
    try {
      return await follow(request, await start(request));
    } catch (error) {
      request.signal?.throwIfAborted();
      if (!mayPass(reasonOf(error)) || Date.now() + pause > until) throw error;
      request.progress?.(`${reasonOf(error)}; trying again in ${pause / 1000} s`);
      await sleep(pause, undefined, request.signal ? { signal: request.signal } : {});
      await request.clean();
    }
  }
}

async function start({ session, sql, parameters, what }: TaskRequest): Promise<number> {
  try {
    const [row] = await session.query(sql, parameters);
    const id = Number(row?.task_id);
    if (!Number.isInteger(id))
      throw new OperationError(`RDS started no ${what} task: it answered without a task id`);
    return id;
  } catch (error) {
    throw error instanceof SqlError ? explainTask(what, error.message, error.number) : error;
  }
}

async function follow(request: TaskRequest, id: number): Promise<Task> {
  const { session, what, signal, stalledAfter } = request;
  let pause = FIRST_PAUSE_MS;
  let seen = '';
  let moved = Date.now();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const task = await taskOf(session, id);
      if (task.lifecycle === 'SUCCESS') return task;
      if (task.lifecycle === 'ERROR') throw explainTask(what, task.info || 'RDS gives no reason');
      if (task.lifecycle === 'CANCELLED' || task.lifecycle === 'CANCEL_REQUESTED')
        throw new OperationError(`the ${what} task ${id} of RDS was cancelled by somebody; run again`);
      if (task.state !== seen) {
        seen = task.state;
        moved = Date.now();
        if (task.percent > 0) request.progress?.(`${what} task ${id}: ${task.percent} %`);
      }
      if (Date.now() - moved > stalledAfter * 1000)
        throw new OperationError(
          `the ${what} task ${id} of RDS has been ${task.lifecycle} at ${task.percent} % for ${stalledAfter} seconds and was given up; RDS works on two tasks at a time: look at msdb.dbo.rds_task_status, and run again with fewer at once, or with a longer stalled_after`,
        );
      await sleep(pause, undefined, signal ? { signal } : {});
      pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS);
    }
  } catch (error) {
    // Nobody would look at its result any more.
    await cancelTask(session, id).catch(() => {});
    throw signal?.aborted ? signal.reason : error;
  }
}

/** Asks for its end and waits for it; a task that has ended already is left as it is. */
export async function cancelTask(session: Session, id: number): Promise<void> {
  const until = Date.now() + CANCEL_PATIENCE_MS;
  let asked = false;
  for (let pause = FIRST_PAUSE_MS; Date.now() < until; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const task = await taskOf(session, id);
    if (!isRunning(task)) return;
    if (!asked && task.lifecycle !== 'CANCEL_REQUESTED') {
      try {
        await session.query('EXEC msdb.dbo.rds_cancel_task @task_id = @id', { id });
      } catch (error) {
        // It ended since it was looked at: then there is nothing to cancel.
        if (!isRunning(await taskOf(session, id))) return;
        throw error;
      }
    }
    asked = true;
    await sleep(pause);
  }
  throw new OperationError(
    `the task ${id} of RDS, which was cancelled, has not ended; run again when it has (msdb.dbo.rds_task_status)`,
  );
}

// The tasks of Amazon RDS: backups and restores that run by themselves, two at a time.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackupFiles } from './backup-file';
import type { Model, SessionState } from './model';
import { type ResultRow, ServerError } from './tokens';

export interface ServerTask {
  readonly id: number;
  readonly type: 'BACKUP_DB' | 'RESTORE_DB';
  readonly database: string;
  readonly object: string;
  readonly kmsKey: string | null;
  lifecycle: 'CREATED' | 'IN_PROGRESS' | 'SUCCESS' | 'ERROR' | 'CANCEL_REQUESTED' | 'CANCELLED';
  percent: number;
  info: string;
}

/** How a task shall go wrong: with an error at a percentage, never going on, or cancelled by somebody else. */
export type TaskFault = { readonly error: string; readonly at?: number } | 'stuck' | 'cancelled' | undefined;

const AT_A_TIME = 2;

export class Tasks {
  public readonly all: ServerTask[] = [];
  public readonly mostAtOnce = { count: 0 };
  public fault: (task: ServerTask) => TaskFault = () => undefined;
  /** Between two steps. */
  public stepMillis = 5;
  private running = 0;

  constructor(
    private readonly model: Model,
    private readonly files: BackupFiles,
    private readonly compressed = false,
  ) {}

  public start(type: ServerTask['type'], database: string, object: string, kmsKey: string | null): ResultRow {
    const task: ServerTask = {
      id: this.all.length + 1,
      type,
      database,
      object,
      kmsKey,
      lifecycle: 'CREATED',
      percent: 0,
      info: '',
    };
    this.all.push(task);
    void this.advance();
    return this.row(task);
  }

  public row(task: ServerTask): ResultRow {
    return {
      task_id: task.id,
      task_type: task.type,
      database_name: task.database,
      '% complete': task.percent,
      'duration (mins)': 0,
      lifecycle: task.lifecycle,
      task_info: task.info,
      S3_object_arn: task.object,
      overwrite_S3_backup_file: 0,
      KMS_master_key_arn: task.kmsKey,
    };
  }

  public cancel(id: number): void {
    const task = this.all.find((one) => one.id === id);
    if (!task) throw new ServerError(50000, `Task ${id} was not found.`);
    if (task.lifecycle === 'CREATED') task.lifecycle = 'CANCELLED';
    else if (task.lifecycle === 'IN_PROGRESS') task.lifecycle = 'CANCEL_REQUESTED';
    else throw new ServerError(50000, `Task ${id} cannot be cancelled in state ${task.lifecycle}.`);
  }

  private async advance(): Promise<void> {
    const next = this.all.find(({ lifecycle }) => lifecycle === 'CREATED');
    if (!next || this.running >= AT_A_TIME) return;
    this.running += 1;
    this.mostAtOnce.count = Math.max(this.mostAtOnce.count, this.running);
    next.lifecycle = 'IN_PROGRESS';
    try {
      await this.work(next);
    } catch (error) {
      next.lifecycle = 'ERROR';
      next.info = `[${new Date().toISOString()}] Aborted the task because of a task failure or a concurrent request. ${(error as Error).message}`;
    } finally {
      this.running -= 1;
      void this.advance();
    }
  }

  private async work(task: ServerTask): Promise<void> {
    const fault = this.fault(task);
    const [bucket, key] = splitArn(task.object);
    if (task.type === 'RESTORE_DB') {
      if (this.model.find(task.database))
        throw new Error(
          `Database ${task.database} already exists. Cannot restore over an existing database.`,
        );
      this.model.create(task.database).state = 'RESTORING';
    } else {
      this.model.open(task.database);
      if (await this.files.exists(bucket, key)) throw new Error('The file already exists in S3.');
    }
    for (; task.percent < 100; task.percent += 20) {
      await sleep(this.stepMillis);
      if (fault === 'cancelled' && task.percent >= 40) task.lifecycle = 'CANCEL_REQUESTED';
      while (fault === 'stuck' && task.percent >= 40 && task.lifecycle === 'IN_PROGRESS')
        await sleep(this.stepMillis);
      if (task.lifecycle === 'CANCEL_REQUESTED') {
        await sleep(this.stepMillis);
        task.lifecycle = 'CANCELLED';
        return;
      }
      if (typeof fault === 'object' && task.percent >= (fault.at ?? 40)) throw new Error(fault.error);
    }
    const kmsKey = task.kmsKey ? { kmsKey: task.kmsKey } : {};
    if (task.type === 'BACKUP_DB')
      await this.files.write(bucket, key, this.model.open(task.database), {
        compressed: this.compressed,
        ...kmsKey,
      });
    else {
      const {
        compressed: _packing,
        name: _formerName,
        ...content
      } = await this.files.read(bucket, key, task.kmsKey ?? undefined);
      Object.assign(this.model.find(task.database)!, content, { state: 'ONLINE', restoredFrom: task.object });
    }
    task.lifecycle = 'SUCCESS';
  }

  /** As `rds_drop_database` refuses. */
  public drop(name: string, by: SessionState): void {
    const pending = this.all.some(
      (task) =>
        task.database.toLowerCase() === name.toLowerCase() &&
        task.type === 'RESTORE_DB' &&
        ['CREATED', 'IN_PROGRESS', 'CANCEL_REQUESTED'].includes(task.lifecycle),
    );
    if (pending)
      throw new ServerError(50000, `Database ${name} has a pending restore task and cannot be dropped.`);
    const database = this.model.find(name);
    if (database) this.model.endSessions(database, by);
    this.model.drop(name, by);
  }
}

export function splitArn(arn: string): [bucket: string, key: string] {
  const [, bucket, key] = /^arn:aws[a-z-]*:s3:::([^/]+)\/(.+)$/.exec(arn) ?? [];
  if (!bucket || !key) throw new ServerError(50000, `The S3 ARN ${arn} is not valid.`);
  return [bucket, key];
}

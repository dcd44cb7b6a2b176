import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { InputError, OperationError, reasonOf } from '../../../errors.js';
import type { Mark } from '../marks.js';
import { undoName } from '../names.js';
import { dependenciesOf, shortList } from './dependencies.js';
import { schemaComment, schemaOf } from './marks.js';

const q = pg.escapeIdentifier;
const PATIENCE_MS = 15_000;
const BUSY = ['55P03', '40P01'];

export interface SwapSchemaRequest {
  readonly client: pg.Client;
  readonly tenant: string;
  readonly schema: string;
  /** What becomes live, and the comment it is to have then. */
  readonly next: string;
  readonly comment: string | null;
  readonly signal?: AbortSignal;
}

/**
 * Renames the live schema away and the next one into its place, in one transaction. Before that, it waits until nobody
 * has written to the live tables without having committed: no transaction lies half in the old, half in the new one.
 */
export async function swapSchemas(request: SwapSchemaRequest): Promise<{ undo?: string }> {
  const { client, schema } = request;
  await checkNeeded(client, schema);
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await swapOnce(request);
    } catch (error) {
      await client.query('rollback').catch(() => {});
      request.signal?.throwIfAborted();
      const busy = BUSY.includes((error as { code?: string }).code ?? '');
      if (busy && Date.now() < deadline) {
        await sleep(100);
        continue;
      }
      if (busy)
        throw new OperationError(
          `the schemas could not be swapped: transactions that write to schema ${JSON.stringify(schema)} stay open (${await writers(client, schema)}); it is as it was: end them, or run again later`,
        );
      if (error instanceof pg.DatabaseError)
        throw new OperationError(
          `the schemas could not be swapped: ${reasonOf(error)}; schema ${JSON.stringify(schema)} is as it was`,
        );
      throw error;
    }
  }
}

/** What needs the live schema from elsewhere follows it by number, not by name: it would stay with the old one. */
export async function checkNeeded(client: pg.Client, schema: string): Promise<void> {
  const { neededBy } = await dependenciesOf(client, schema);
  if (neededBy.length > 0)
    throw new InputError(
      `objects elsewhere need schema ${JSON.stringify(schema)} and would stay with its old copy: ${shortList(neededBy)}; drop them, restore, and create them anew; the live schema was not touched`,
    );
}

async function swapOnce({ client, tenant, schema, next, comment }: SwapSchemaRequest) {
  await client.query('begin');
  const live = await schemaOf(client, schema);
  let undo: string | undefined;
  if (live) {
    const { rows } = await client.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
      [schema],
    );
    if (rows.length > 0)
      await client.query(`lock table ${rows.map(({ name }) => name).join(', ')} in exclusive mode nowait`);
    const now = new Date();
    undo = undoName(schema, now, randomBytes(2).toString('hex'));
    const mark: Mark = {
      tool: 'sovereign-backup',
      kind: 'undo',
      tenant,
      database: schema,
      at: now.toISOString(),
      comment: live.comment,
    };
    await client.query(`alter schema ${q(schema)} rename to ${q(undo)}`);
    await client.query(schemaComment(undo, JSON.stringify(mark)));
  }
  await client.query(`alter schema ${q(next)} rename to ${q(schema)}`);
  await client.query(schemaComment(schema, comment));
  await client.query('commit');
  return undo === undefined ? {} : { undo };
}

async function writers(client: pg.Client, schema: string): Promise<string> {
  const { rows } = await client.query<{ who: string }>(
    `select distinct format('pid %s, %s, %s', a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'no name')) as who
     from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
     join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'relation' and n.nspname = $1 and a.pid <> pg_backend_pid() and l.mode not in ('AccessShareLock', 'RowShareLock')
     limit 5`,
    [schema],
  );
  return rows.map(({ who }) => who).join('; ') || 'they have just ended';
}

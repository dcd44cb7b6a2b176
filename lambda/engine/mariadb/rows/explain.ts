import { InputError, OperationError, reasonOf } from '../../../errors.js';

interface Doing {
  /** What the user has to be granted. */
  readonly needs: string;
  /** What holds now. */
  readonly holds: string;
}

export const DUMPING: Doing = {
  needs: 'a dump needs SELECT and TRIGGER on the database',
  holds: 'no archive was kept',
};
export const RESTORING: Doing = {
  needs:
    'a restore needs SELECT, INSERT, UPDATE, DELETE, TRIGGER and CREATE TEMPORARY TABLES on the database, and for what it puts aside GRANT ALL ON `rows\\_of\\_%`.*',
  holds: 'nothing was changed',
};

/** What the server said, as an error for people; everything else already speaks for itself. */
export function explain(error: unknown, { needs, holds }: Doing, table?: string): unknown {
  const { code = '' } = error as { code?: string };
  if (error instanceof InputError || error instanceof OperationError) return error;
  const reason = `${table === undefined ? '' : `${table}: `}${reasonOf(error)}`;
  if (/ACCESS_DENIED/.test(code))
    return new InputError(`the user may not do this: ${reason}; ${needs}; ${holds}`);
  if (code === 'ER_BAD_DB_ERROR') return new InputError(`${reason}; ${holds}`);
  // What MariaDB and what MySQL calls it.
  if (code === 'ER_CANT_AGGREGATE_2COLLATIONS' || code === 'ER_CANNOT_CONVERT_STRING')
    return new InputError(
      `the tenant's value has characters that the character set of the tenant's column does not have (${reason}); check its name, or give --tenant-value; ${holds}`,
    );
  if (code === 'ER_TABLE_DEF_CHANGED')
    return new OperationError(`${reason}; ${holds}: run again when nobody alters tables`);
  const gone = error instanceof Error && /in closed state/.test(error.message);
  return gone || /^(ER_|PROTOCOL_|ECONN|EPIPE)/.test(code)
    ? new OperationError(`${reason}; ${holds}`)
    : error;
}

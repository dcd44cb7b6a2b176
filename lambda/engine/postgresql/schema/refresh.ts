import { Transform, type TransformCallback } from 'node:stream';
import { LOCK_NOT_AVAILABLE, notComputed, SERVER_FAILED_CLASSES } from '../refusals.js';

const TITLE = /^-- Name: .*; Type: MATERIALIZED VIEW DATA; /;
const COMMAND = /^REFRESH MATERIALIZED VIEW (.*);$/;
const COPY_BEGINS = 'COPY ';
const COPY_ENDS = ' FROM stdin;\n';
const END_OF_ROWS = '\n\\.\n';
const LINE_FEED = 10;
/** By which what the guard says is known from what functions of the tenant's say. */
const SIGN = 'sovereign-backup left empty: ';
const SAID = new RegExp(`WARNING:\\s+${SIGN}(.*?): (.*)$`);

/**
 * A script of pg_restore in which a materialized view that cannot be computed is told and left empty. All of it is one
 * transaction, which any error would end; and psql takes no commands of its own within such a script.
 */
export function guardedRefresh(): Transform {
  let rest: Buffer = Buffer.alloc(0);
  let inRows = false;
  let titled = false;
  const line = (bytes: Buffer): Buffer => {
    inRows =
      bytes.toString('latin1', 0, COPY_BEGINS.length) === COPY_BEGINS &&
      bytes.toString('latin1', Math.max(0, bytes.length - COPY_ENDS.length)) === COPY_ENDS;
    // A line may be as long as it likes; what else is looked for is not.
    if (inRows || bytes.length > 4096) return bytes;
    const text = bytes.toString('latin1').slice(0, -1);
    if (TITLE.test(text)) titled = true;
    const view = titled ? COMMAND.exec(text)?.[1] : undefined;
    if (view === undefined) return bytes;
    titled = false;
    return Buffer.from(`${guarded(view)}\n`, 'latin1');
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, next: TransformCallback) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const out: Buffer[] = [];
      let at = 0;
      for (;;) {
        if (inRows) {
          const end = bytes.indexOf(END_OF_ROWS, at);
          if (end < 0) break;
          out.push(bytes.subarray(at, end + END_OF_ROWS.length));
          at = end + END_OF_ROWS.length;
          inRows = false;
        } else {
          const end = bytes.indexOf(LINE_FEED, at);
          if (end < 0) break;
          out.push(line(bytes.subarray(at, end + 1)));
          // Where there are no rows, the end of the COPY itself is before their end.
          if (inRows) out.push(out.pop()!.subarray(0, -1));
          at = inRows ? end : end + 1;
        }
      }
      // Of rows only so much is kept as the end of them may have begun with.
      const kept = inRows ? Math.max(at, bytes.length - END_OF_ROWS.length + 1) : at;
      out.push(bytes.subarray(at, kept));
      rest = bytes.subarray(kept);
      next(null, Buffer.concat(out));
    },
    flush(next) {
      next(null, rest);
    },
  });
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;

function guarded(view: string): string {
  return `DO ${text(
    `begin refresh materialized view ${view}; exception when others then
      if left(sqlstate, 2) in (${SERVER_FAILED_CLASSES.map(text)}) or sqlstate = ${text(LOCK_NOT_AVAILABLE)} then raise; end if;
      raise warning using message = ${text(`${SIGN}${view}: `)} || sqlerrm; end`,
  )};`;
}

/** The warning that a line of psql's is, if the guard wrote it. */
export function leftEmpty(said: string): string | undefined {
  const [, view, reason] = SAID.exec(said) ?? [];
  return view === undefined ? undefined : notComputed(view, reason!);
}

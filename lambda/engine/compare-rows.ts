import type { RowKey, TableComparison } from './engine.js';

/** A row by its hashes; without a key, all rows of the same content are one of these. */
export interface SortedRow {
  readonly key: Buffer;
  readonly content: Buffer | null;
  readonly count: number;
  readonly shown: RowKey | null;
}

type Rows = AsyncIterator<SortedRow, void, undefined>;

/** Merges two ascending streams of rows, holding one row of each. */
export async function compareSorted(
  archive: Rows,
  live: Rows,
  sample: number,
): Promise<Pick<TableComparison, 'rows' | 'sample'> & { archiveRows: number; liveRows: number }> {
  const rows = { added: 0, removed: 0, changed: 0 };
  const shown: Record<keyof typeof rows, RowKey[]> = { added: [], removed: [], changed: [] };
  let archiveRows = 0;
  let liveRows = 0;
  const note = (what: keyof typeof rows, row: SortedRow, count = row.count) => {
    rows[what] += count;
    if (count > 0 && row.shown && shown[what].length < sample) shown[what].push(row.shown);
  };
  const next = async (side: Rows) => (await side.next()).value ?? undefined;
  // The server sorts both before it gives the first row of either.
  let [old, now] = await Promise.all([next(archive), next(live)]);
  while (old || now) {
    const order = !old ? 1 : !now ? -1 : Buffer.compare(old.key, now.key);
    if (order === 0) {
      note('removed', old!, Math.max(0, old!.count - now!.count));
      note('added', now!, Math.max(0, now!.count - old!.count));
      if (old!.content && now!.content && !old!.content.equals(now!.content)) note('changed', now!);
    } else if (order < 0) note('removed', old!);
    else note('added', now!);
    if (order <= 0) {
      archiveRows += old!.count;
      old = await next(archive);
    }
    if (order >= 0) {
      liveRows += now!.count;
      now = await next(live);
    }
  }
  return { rows, sample: shown, archiveRows, liveRows };
}

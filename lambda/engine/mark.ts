/** The note on a database that is ours, whatever the server keeps it in; it counts only when the name agrees with it. */
export interface Mark {
  readonly tool: 'sovereign-backup';
  readonly kind: 'restore' | 'undo';
  readonly tenant: string;
  readonly database: string;
  /** Of a side copy: the time of its archive. Of an undo copy: when it was put aside. */
  readonly at: string;
  readonly archive?: string;
}

/** Undefined for notes that are somebody else's. */
export function parseMark<M extends Mark>(text: string | null | undefined): M | undefined {
  if (!text?.startsWith('{')) return undefined;
  try {
    const mark = JSON.parse(text) as M;
    const known = mark.kind === 'restore' || mark.kind === 'undo';
    return mark.tool === 'sovereign-backup' && known && typeof mark.database === 'string' ? mark : undefined;
  } catch {
    return undefined;
  }
}

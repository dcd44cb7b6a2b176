import { isLossy } from '../columns.js';
import { q } from '../connect.js';

/** How values of a column are read, written and compared. */
export interface ColumnKind {
  readonly group: 'whole' | 'number' | 'text' | 'long' | 'binary' | 'uuid' | 'bit';
  /** Stands as hexadecimal digits in an archive: it is no text, or of a character set that others do not hold. */
  readonly as?: 'hex';
  /** Text of a character set that others do not hold. */
  readonly lossy?: true;
  /** Has less precision as text than in the table. */
  readonly float?: true;
}

const WHOLE = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'];
const BINARY = ['binary', 'varbinary'];
const LONG_BINARY = [
  'tinyblob',
  'blob',
  'mediumblob',
  'longblob',
  'vector',
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
  'geomcollection',
];
const LONG_TEXT = ['tinytext', 'text', 'mediumtext', 'longtext', 'json'];
/** Times, too: what is written in digits and a few signs. */
const NUMBERS = ['decimal', 'double', 'date', 'datetime', 'timestamp', 'time', 'year'];
const CHOICE = ['enum', 'set'];

export function kindOf(base: string, charset: string | null): ColumnKind {
  const type = base.toLowerCase();
  if (WHOLE.includes(type)) return { group: 'whole' };
  if (type === 'bit') return { group: 'bit', as: 'hex' };
  if (BINARY.includes(type)) return { group: 'binary', as: 'hex' };
  if (LONG_BINARY.includes(type)) return { group: 'long', as: 'hex' };
  if (type === 'uuid') return { group: 'uuid' };
  const group = LONG_TEXT.includes(type) ? 'long' : 'text';
  if (CHOICE.includes(type)) return { group };
  if (isLossy(charset)) return { group, as: 'hex', lossy: true };
  if (type === 'float') return { group: 'number', float: true };
  return { group: NUMBERS.includes(type) ? 'number' : group };
}

/** The value as it is asked for, as SQL; what `isDigitized` has yet to be written in hexadecimal digits. */
export function askedFor(column: string, kind: ColumnKind, alias: string): string {
  const name = `${alias}.${q(column)}`;
  if (kind.group === 'bit') return `hex(${name} + 0)`;
  if (kind.lossy) return `cast(${name} as binary)`;
  return kind.float ? `(${name} + 0e0)` : name;
}

/** Whether its digits are written here: for the server they may be too many (`max_allowed_packet`), and then it gives a null. */
export function isDigitized({ group, as }: ColumnKind): boolean {
  return as === 'hex' && group !== 'bit';
}

// What a server answers in: tokens of column metadata, rows, errors and ends.

export type Cell = string | number | boolean | null;
export type ResultRow = Readonly<Record<string, Cell>>;

/** An error as SQL Server numbers it; it ends the statement, and the batch unless something catches it. */
export class ServerError extends Error {
  constructor(
    public readonly number: number,
    message: string,
    public readonly severity = 16,
  ) {
    super(message);
  }
}

const u8 = (value: number) => Buffer.from([value]);
const u16 = (value: number) => {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
};
const u32 = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
};
const shortText = (text: string) => Buffer.concat([u8(text.length), Buffer.from(text, 'utf16le')]);
const longText = (text: string) => Buffer.concat([u16(text.length), Buffer.from(text, 'utf16le')]);
/** SQL_Latin1_General_CP1_CI_AS. */
const COLLATION = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34]);

function sized(token: number, body: Buffer): Buffer {
  return Buffer.concat([u8(token), u16(body.length), body]);
}

export function loginAck(major: number): Buffer {
  const program = 'Microsoft SQL Server';
  return sized(
    0xad,
    Buffer.concat([
      u8(1),
      Buffer.from([0x74, 0x00, 0x00, 0x04]),
      shortText(program),
      u8(major),
      u8(0),
      u16(0),
    ]),
  );
}

export function databaseChange(name: string): Buffer {
  return sized(0xe3, Buffer.concat([u8(1), shortText(name), shortText('master')]));
}

export function info(number: number, message: string): Buffer {
  return notice(0xab, number, 0, message);
}

export function error({ number, severity, message }: ServerError): Buffer {
  return notice(0xaa, number, severity, message);
}

function notice(token: number, number: number, severity: number, message: string): Buffer {
  const body = [
    u32(number),
    u8(1),
    u8(severity),
    longText(message),
    shortText('scripted'),
    shortText(''),
    u32(1),
  ];
  return sized(token, Buffer.concat(body));
}

export const DONE = { more: 0x01, error: 0x02, count: 0x10, attention: 0x20 } as const;

export function done(status: number, rows = 0): Buffer {
  const count = Buffer.alloc(8);
  count.writeBigUInt64LE(BigInt(rows));
  return Buffer.concat([u8(0xfd), u16(status), u16(0), count]);
}

export function doneProc(status: number): Buffer {
  return Buffer.concat([u8(0xfe), u16(status), u16(0), Buffer.alloc(8)]);
}

/** All rows have the columns of the first one; integers beyond 32 bits go as floats, as the engine asks for them. */
export function resultSet(columns: readonly string[], rows: readonly ResultRow[]): Buffer {
  const kinds = columns.map((name) => kindOf(rows.map((row) => row[name] ?? null)));
  const metadata = columns.map((name, index) =>
    Buffer.concat([u32(0), u16(0x01), typeInfo(kinds[index]!), shortText(name)]),
  );
  const lines = rows.map((row) =>
    Buffer.concat([u8(0xd1), ...columns.map((name, index) => cell(kinds[index]!, row[name] ?? null))]),
  );
  return Buffer.concat([u8(0x81), u16(columns.length), ...metadata, ...lines]);
}

type Kind = 'text' | 'int' | 'float' | 'bit';

function kindOf(cells: readonly Cell[]): Kind {
  const first = cells.find((value) => value !== null);
  if (typeof first === 'boolean') return 'bit';
  if (typeof first !== 'number') return 'text';
  return cells.every(
    (value) => value === null || (Number.isInteger(value) && Math.abs(value as number) < 2 ** 31),
  )
    ? 'int'
    : 'float';
}

function typeInfo(kind: Kind): Buffer {
  if (kind === 'int') return Buffer.from([0x26, 4]);
  if (kind === 'float') return Buffer.from([0x6d, 8]);
  if (kind === 'bit') return Buffer.from([0x68, 1]);
  return Buffer.concat([u8(0xe7), u16(8000), COLLATION]);
}

function cell(kind: Kind, value: Cell): Buffer {
  if (kind === 'text') {
    if (value === null) return u16(0xffff);
    const text = Buffer.from(String(value), 'utf16le');
    return Buffer.concat([u16(text.length), text]);
  }
  if (value === null) return u8(0);
  if (kind === 'bit') return Buffer.from([1, value ? 1 : 0]);
  const number = Buffer.alloc(kind === 'int' ? 4 : 8);
  if (kind === 'int') number.writeInt32LE(value as number);
  else number.writeDoubleLE(value as number);
  return Buffer.concat([u8(number.length), number]);
}

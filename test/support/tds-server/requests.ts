// What a client sends: its login, batches of text, and calls of sp_executesql with parameters.

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly program: string;
}

/** Encryption is not offered: the scripted server speaks plainly. */
export function preloginAnswer(): Buffer {
  const options = [
    { token: 0x00, data: Buffer.from([16, 0, 0, 0, 0, 0]) },
    { token: 0x01, data: Buffer.from([0x02]) },
  ];
  let offset = options.length * 5 + 1;
  const table: Buffer[] = [];
  for (const { token, data } of options) {
    const entry = Buffer.alloc(5);
    entry.writeUInt8(token, 0);
    entry.writeUInt16BE(offset, 1);
    entry.writeUInt16BE(data.length, 3);
    table.push(entry);
    offset += data.length;
  }
  return Buffer.concat([...table, Buffer.from([0xff]), ...options.map(({ data }) => data)]);
}

export function parseLogin(data: Buffer): Login {
  const field = (at: number) => {
    const offset = data.readUInt16LE(at);
    return data.subarray(offset, offset + data.readUInt16LE(at + 2) * 2);
  };
  const password = Buffer.from(field(44)).map((byte) => {
    const mixed = byte ^ 0xa5;
    return ((mixed >> 4) | (mixed << 4)) & 0xff;
  });
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf16le');
  return {
    user: text(field(40)),
    password: text(password),
    program: text(field(48)),
    database: text(field(68)),
  };
}

export interface Statement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string | number | null>>;
  /** Whether it came as text alone, which is a batch of its own. */
  readonly batch: boolean;
}

/** All requests begin with headers of the transaction. */
const headersEnd = (data: Buffer): number => data.readUInt32LE(0);

export function parseBatch(data: Buffer): Statement {
  return { sql: data.subarray(headersEnd(data)).toString('utf16le'), parameters: {}, batch: true };
}

const SP_EXECUTESQL = 10;

export function parseRpc(data: Buffer): Statement {
  const reader = new Reader(data, headersEnd(data));
  const nameLength = reader.u16();
  const procedure = nameLength === 0xffff ? reader.u16() : reader.text(nameLength);
  if (procedure !== SP_EXECUTESQL) throw new Error(`only sp_executesql is understood, not ${procedure}`);
  reader.u16();
  const values: { name: string; value: string | number | null }[] = [];
  while (reader.more()) {
    const name = reader.text(reader.u8());
    reader.u8();
    values.push({ name, value: reader.value() });
  }
  const [statement, declaration, ...rest] = values;
  const declared = new Set(String(declaration?.value ?? '').match(/@\w+(?=\s)/g) ?? []);
  for (const { name } of rest)
    if (!declared.has(name)) throw new Error(`parameter ${name} is not declared in ${declaration?.value}`);
  return {
    sql: String(statement?.value),
    parameters: Object.fromEntries(rest.map(({ name, value }) => [name.slice(1), value])),
    batch: false,
  };
}

class Reader {
  constructor(
    private readonly data: Buffer,
    private at: number,
  ) {}

  public more(): boolean {
    return this.at < this.data.length;
  }
  public u8(): number {
    this.at += 1;
    return this.data.readUInt8(this.at - 1);
  }
  public u16(): number {
    this.at += 2;
    return this.data.readUInt16LE(this.at - 2);
  }
  public text(characters: number): string {
    return this.bytes(characters * 2).toString('utf16le');
  }
  private bytes(length: number): Buffer {
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  public value(): string | number | null {
    const type = this.u8();
    if (type === 0x26) {
      this.u8();
      const length = this.u8();
      return length === 0 ? null : this.bytes(length).readIntLE(0, length);
    }
    if (type === 0xe7) {
      const longest = this.u16();
      this.bytes(5);
      if (longest === 0xffff) return this.chunked();
      const length = this.u16();
      return length === 0xffff ? null : this.bytes(length).toString('utf16le');
    }
    throw new Error(`a parameter of type 0x${type.toString(16)}`);
  }

  private chunked(): string | null {
    const total = this.bytes(8).readBigUInt64LE();
    if (total === 0xffff_ffff_ffff_ffffn) return null;
    const parts: Buffer[] = [];
    for (;;) {
      const length = this.bytes(4).readUInt32LE();
      if (length === 0) return Buffer.concat(parts).toString('utf16le');
      parts.push(this.bytes(length));
    }
  }
}

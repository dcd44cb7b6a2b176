// TDS packets: eight bytes of header, then data; a message is one or more of them.

export const TYPE = {
  batch: 0x01,
  rpc: 0x03,
  response: 0x04,
  attention: 0x06,
  login: 0x10,
  prelogin: 0x12,
} as const;

const HEADER = 8;
const LAST = 0x01;
const IGNORE = 0x02;
const LARGEST = 4096;

export interface Message {
  readonly type: number;
  readonly data: Buffer;
}

/** Cuts what arrives into messages. */
export class PacketReader {
  private rest = Buffer.alloc(0);
  private parts: Buffer[] = [];

  constructor(private readonly message: (message: Message) => void) {}

  public feed(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= HEADER) {
      const length = this.rest.readUInt16BE(2);
      if (length < HEADER) throw new Error(`a packet of ${length} bytes`);
      if (this.rest.length < length) return;
      const packet = this.rest.subarray(0, length);
      this.rest = this.rest.subarray(length);
      this.parts.push(packet.subarray(HEADER));
      if (!(packet[1]! & LAST)) continue;
      const data = Buffer.concat(this.parts);
      this.parts = [];
      if (!(packet[1]! & IGNORE)) this.message({ type: packet[0]!, data });
    }
  }
}

/** One whole message; `split` is the size of packets, to be small in tests of the client. */
export function send(
  socket: { write(part: Buffer): boolean },
  type: number,
  data: Buffer,
  split = LARGEST - HEADER,
): void {
  let id = 1;
  for (let from = 0; from === 0 || from < data.length; from += split) {
    const part = data.subarray(from, from + split);
    const header = Buffer.alloc(HEADER);
    header.writeUInt8(type, 0);
    header.writeUInt8(from + split >= data.length ? LAST : 0, 1);
    header.writeUInt16BE(HEADER + part.length, 2);
    header.writeUInt8(id % 256, 6);
    id += 1;
    socket.write(Buffer.concat([header, part]));
  }
}

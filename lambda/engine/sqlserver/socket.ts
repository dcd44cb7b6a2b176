import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEADER = 8;
const ENCRYPTION = 0x01;
const TERMINATOR = 0xff;
const ON = [0x01, 0x03];

export interface WatchedSocket {
  readonly socket: Socket;
  /** Resolves, to the reason, when nothing comes any more. */
  readonly closed: Promise<string>;
}

/**
 * The driver's socket, on which nothing goes out any more when the server answers that it does not encrypt: by itself
 * the driver would then send the password, and all that follows, in the clear, whatever was asked for.
 */
export async function openSocket(host: string, port: number, encrypted: boolean): Promise<WatchedSocket> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  let reason = 'the server closed it';
  socket.on('error', (error) => {
    reason = error.message;
  });
  // A socket of which only the other side has ended stays half open, and nothing more comes.
  socket.on('end', () => socket.destroy());
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(reason));
  });
  const watched = { socket, closed };
  if (!encrypted) return watched;
  let answer = Buffer.alloc(0);
  const look = (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk]);
    if (answer.length < HEADER || answer.length < answer.readUInt16BE(2)) return;
    socket.off('data', look);
    if (!offersEncryption(answer.subarray(HEADER, answer.readUInt16BE(2))))
      socket.destroy(new Error('it answers that it does not support encryption'));
  };
  socket.on('data', look);
  return watched;
}

/** Reads the table of the answer's options. */
function offersEncryption(options: Buffer): boolean {
  for (let at = 0; at + 5 <= options.length && options[at] !== TERMINATOR; at += 5) {
    if (options[at] === ENCRYPTION) return ON.includes(options[options.readUInt16BE(at + 1)] ?? -1);
  }
  return false;
}

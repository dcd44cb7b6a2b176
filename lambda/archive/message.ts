// The AWS Encryption SDK message format. Keys, headers, commitment and the make-up of frames are the SDK's own code;
// only its streams are not used: they throw outside of any handler when a neighbour fails or a frame is damaged, which
// ends the process, and the reading one ignores bytes after the last frame.
import { Readable } from 'node:stream';
import { getEncryptionInfo } from '@aws-crypto/encrypt-node/build/main/src/encrypt_stream.js';
import { getEncryptFrame } from '@aws-crypto/encrypt-node/build/main/src/framed_encrypt_stream.js';
import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  type EncryptionContext,
  getDecryptionHelper,
  NodeAlgorithmSuite,
  NodeDefaultCryptographicMaterialsManager,
} from '@aws-crypto/material-management-node';
import { aadFactory, deserializeFactory } from '@aws-crypto/serialize';
import { reasonOf } from '../errors.js';
import { ByteReader } from './byte-reader.js';
import { DamagedError } from './damaged-error.js';
import type { ArchiveKey } from './key.js';

const FRAME = 256 * 1024;
const TAG = 16;
const IV = 12;
/** Stands where a frame's number stands, and says that this frame is the last. */
const LAST = 0xffffffff;
const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
/** Far above any header with a few wrapped keys: what is longer is damaged. */
const MAX_HEADER = 64 * 1024;

const toUtf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const fromUtf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const { deserializeMessageHeader } = deserializeFactory(toUtf8, NodeAlgorithmSuite);
const { messageAAD, messageAADContentString } = aadFactory(fromUtf8);

/** Plain bytes in, one message out, bound to the context. */
export async function* encryptStream(
  key: ArchiveKey,
  context: EncryptionContext,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const suite = new NodeAlgorithmSuite(SUITE);
  const material = await new NodeDefaultCryptographicMaterialsManager(key.keyring).getEncryptionMaterials({
    suite,
    encryptionContext: context,
    commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  });
  const { getCipher, messageHeader, rawHeader, dispose } = getEncryptionInfo(material, FRAME);
  try {
    yield Buffer.concat(rawHeader);
    let content: Buffer[] = [];
    let contentLength = 0;
    let sequenceNumber = 1;
    // In parts, because joining them would copy every byte once more.
    const close = (isFinalFrame: boolean): Buffer[] => {
      const pendingFrame = { content, contentLength, sequenceNumber };
      const frame = getEncryptFrame({ pendingFrame, messageHeader, getCipher, isFinalFrame, suite });
      const { cipher, bodyHeader } = frame;
      const parts = [bodyHeader, ...content.map((part) => cipher.update(part)), cipher.final()];
      parts.push(cipher.getAuthTag());
      content = [];
      contentLength = 0;
      sequenceNumber += 1;
      return parts.filter((part) => part.length > 0);
    };
    for await (const chunk of source) {
      for (let rest = chunk; rest.length > 0; ) {
        const part = rest.subarray(0, FRAME - contentLength);
        content.push(part);
        contentLength += part.length;
        rest = rest.subarray(part.length);
        if (contentLength === FRAME) yield* close(false);
      }
    }
    yield* close(true);
  } finally {
    dispose();
  }
}

export async function encryptBytes(
  key: ArchiveKey,
  context: EncryptionContext,
  plain: Buffer,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of encryptStream(key, context, Readable.from([plain], { objectMode: false })))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Yields the plain bytes, frame by authenticated frame; fails unless the message is whole and ends where it says. */
export async function* decryptStream(
  key: ArchiveKey,
  context: EncryptionContext,
  source: Readable,
): AsyncGenerator<Buffer, void, undefined> {
  const input = new ByteReader(source);
  try {
    const { messageId, getDecipher } = await openHeader(key, context, input);
    for (let sequence = 1, last = false; !last; sequence += 1) {
      const frame = await frameHeader(input, sequence);
      last = frame.last;
      const body = await input.takeParts(frame.length);
      const tag = await input.take(TAG);
      const decipher = getDecipher(frame.iv);
      const text = messageAADContentString({ contentType: 2, isFinalFrame: last });
      const aad = messageAAD(messageId, text, sequence, frame.length);
      decipher.setAAD(Buffer.from(aad.buffer, aad.byteOffset, aad.byteLength));
      decipher.setAuthTag(tag);
      // In parts, as above; none of them is passed on before the whole frame has proved to be authentic.
      const plain: Buffer[] = [];
      try {
        for (const part of body) plain.push(decipher.update(part));
        plain.push(decipher.final());
      } catch {
        throw new DamagedError(`its bytes were changed (frame ${sequence} does not authenticate)`);
      }
      for (const part of plain) if (part.length > 0) yield part;
    }
    await input.expectEnd();
  } finally {
    source.destroy();
  }
}

export async function decryptBytes(
  key: ArchiveKey,
  context: EncryptionContext,
  source: Readable,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of decryptStream(key, context, source)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function openHeader(key: ArchiveKey, context: EncryptionContext, input: ByteReader) {
  const { messageHeader, algorithmSuite: suite, rawHeader, headerAuth } = await readHeader(input);
  if (suite.id !== SUITE || messageHeader.frameLength !== FRAME)
    throw new DamagedError('it was encrypted in another way than archives are');
  for (const [name, value] of Object.entries(context)) {
    const got = messageHeader.encryptionContext[name];
    if (got !== value)
      throw new DamagedError(
        `it was encrypted as ${name} ${JSON.stringify(got ?? null)}, and lies where ${name} ${JSON.stringify(value)} belongs`,
      );
  }
  const material = await new NodeDefaultCryptographicMaterialsManager(key.keyring)
    .decryptMaterials({
      suite: new NodeAlgorithmSuite(suite.id),
      encryptionContext: messageHeader.encryptionContext,
      encryptedDataKeys: messageHeader.encryptedDataKeys,
    })
    .catch((error: unknown) => {
      if (typeof (error as { exitCode?: unknown }).exitCode === 'number') throw error;
      throw new DamagedError(`key ${key.id} does not open it`, { cause: error });
    });
  const { getDecipherInfo } = getDecryptionHelper(material);
  let getDecipher: ReturnType<typeof getDecipherInfo>;
  try {
    getDecipher = getDecipherInfo(
      messageHeader.messageId,
      'suiteData' in messageHeader ? messageHeader.suiteData : undefined,
    );
    const check = getDecipher(headerAuth.headerIv);
    check.setAAD(Buffer.from(rawHeader));
    check.setAuthTag(Buffer.from(headerAuth.headerAuthTag));
    check.update(Buffer.alloc(0));
    check.final();
  } catch (error) {
    throw new DamagedError(`its header was changed (${reasonOf(error)})`);
  }
  return { getDecipher, messageId: messageHeader.messageId };
}

async function readHeader(input: ByteReader) {
  for (let length = 512; ; length *= 2) {
    const bytes = await input.peek(Math.min(length, MAX_HEADER));
    let info: ReturnType<typeof deserializeMessageHeader>;
    try {
      info = deserializeMessageHeader(bytes, { maxEncryptedDataKeys: 8 });
    } catch (error) {
      throw new DamagedError(`its header was changed (${reasonOf(error)})`);
    }
    if (info) {
      await input.take(info.headerLength + info.headerAuth.headerAuthLength);
      return info;
    }
    if (bytes.length < length) throw new DamagedError('it ends inside its header');
  }
}

/** One frame's number, nonce and length; the last one says so and may be shorter. */
async function frameHeader(input: ByteReader, expected: number) {
  let number = (await input.take(4)).readUInt32BE();
  const last = number === LAST;
  if (last) number = (await input.take(4)).readUInt32BE();
  const iv = await input.take(IV);
  const length = last ? (await input.take(4)).readUInt32BE() : FRAME;
  if (number !== expected || length > FRAME)
    throw new DamagedError(`its bytes were changed (frame ${expected} is not where it should be)`);
  return { last, iv, length };
}

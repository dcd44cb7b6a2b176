import type { TransformOptions } from 'node:stream';
// Never by name: what this Node does not have would keep the whole program from being loaded.
import * as zlib from 'node:zlib';
import { InputError } from '../errors.js';

/** Node has zstd since 22.15; older ones fail here instead of in the middle. */
export function requireZstd(): void {
  if (typeof zlib.createZstdCompress !== 'function')
    throw new InputError(`this Node (${process.version}) has no zstd; use Node 22.15 or newer`);
}

export function createCompressor(level: number): zlib.ZstdCompress {
  requireZstd();
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zlib.constants;
  // Never with worker threads (ZSTD_c_nbWorkers): Node's stream then ends too early.
  const options: zlib.ZstdOptions & TransformOptions = {
    chunkSize: 1024 * 1024,
    // Nothing waits in front of it: what was written has been read when it asks for more.
    writableHighWaterMark: 0,
    params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 },
  };
  return zlib.createZstdCompress(options);
}

export function createDecompressor(): zlib.ZstdDecompress {
  requireZstd();
  return zlib.createZstdDecompress({ chunkSize: 256 * 1024 });
}

import { createHash } from 'node:crypto';
import type { ArchiveKey } from '../../lambda/archive/key';
import { encryptionContext, serializeManifest } from '../../lambda/archive/manifest';
import { encryptBytes } from '../../lambda/archive/message';
import { archiveOf } from './described-archive';

/** An archive under a key, as only who has it can make one: it can be verified, and restored into a file. */
export async function sealedArchive(key: ArchiveKey, tenant: string, daysAgo: number, plain = 'rows') {
  const { archive, files } = archiveOf(tenant, daysAgo);
  const place = { tenant, regime: 'local', archive };
  const data = await encryptBytes(key, encryptionContext(place, 'data'), Buffer.from(plain));
  const manifest = serializeManifest({
    ...JSON.parse(files['manifest.json']),
    key: { id: key.id },
    data: described(data),
    compressed: { ...described(Buffer.from(plain)), algorithm: 'none' },
    dump: { bytes: plain.length },
  });
  const seal = await encryptBytes(key, encryptionContext(place, 'manifest'), manifest);
  return { archive, files: { data, 'manifest.seal': seal, 'manifest.json': manifest } };
}

function described(bytes: Buffer) {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

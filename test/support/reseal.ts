// Changes an archive's manifest and seals it anew, as only who has the key can.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encryptionContext, type Manifest, serializeManifest } from '../../lambda/archive/manifest';
import { encryptBytes } from '../../lambda/archive/message';
import { readKeyFile } from '../../lambda/archive/raw-key';

export async function reseal(folder: string, keyFile: string, change: (manifest: Manifest) => Manifest) {
  const path = join(folder, 'manifest.json');
  const manifest = change(JSON.parse(readFileSync(path, 'utf8')));
  const bytes = serializeManifest(manifest);
  const key = await readKeyFile(keyFile);
  writeFileSync(path, bytes);
  writeFileSync(
    join(folder, 'manifest.seal'),
    await encryptBytes(key, encryptionContext(manifest, 'manifest'), bytes),
  );
}

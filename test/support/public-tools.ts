// An archive opened as docs/archive-format.md says, without this project's own code.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The dump of the archive in a folder; what its manifest says of the layers is held against the system's own tools. */
export function openWithPublicTools(archive: string, key: string, folder: string): Buffer {
  const manifest = JSON.parse(readFileSync(join(archive, 'manifest.json'), 'utf8'));
  const script = join(folder, 'open.cjs');
  // The script of the documentation itself, with the SDK found where this package has it.
  const docs = readFileSync(join(__dirname, '../../docs/archive-format.md'), 'utf8');
  const [, source] = /```js\n([\s\S]*?)```/.exec(docs)!;
  const sdk = require.resolve('@aws-crypto/client-node');
  writeFileSync(
    script,
    source!.replace("require('@aws-crypto/client-node')", `require(${JSON.stringify(sdk)})`),
  );
  const sha256 = (input: Buffer) => execFileSync('sha256sum', { input, encoding: 'utf8' }).slice(0, 64);
  expect(sha256(readFileSync(join(archive, 'data')))).toBe(manifest.data.sha256);
  const plain = execFileSync(process.execPath, [script, join(archive, 'data'), key, manifest.key.id]);
  expect(sha256(plain)).toBe(manifest.compressed.sha256);
  const dump =
    manifest.compressed.algorithm === 'zstd' ? execFileSync('zstd', ['-dc'], { input: plain }) : plain;
  expect(dump).toHaveLength(manifest.dump.bytes);
  return dump;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DeclarationError } from './errors';

/** Beside dist/lib, where this file is compiled to. */
const root = join(__dirname, '..', 'lambda');

/** Bundles that run as they are, from a zip. */
export type ZipBundle =
  | 'discover'
  | 'drill-age'
  | 'prune'
  | 'report'
  | 'sample'
  | 'survey'
  | 'tenant-keys'
  | 'validate-restore';

/**
 * The folder of a shipped Lambda bundle.
 *
 * @throws when the package was built without it
 */
export function bundleFolder(name: ZipBundle | 'worker'): string {
  const folder = join(root, name);
  const file = join(folder, name === 'worker' ? 'Dockerfile' : 'index.mjs');
  if (existsSync(file)) return folder;
  throw new DeclarationError(
    `${file} is missing: this installation of cdk-sovereign-backup has no '${name}' function. ` +
      "Install the published package again, or in a checkout run 'npm run build'",
  );
}

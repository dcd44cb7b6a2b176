// One folder for whatever the tests, and the programs that they run, put into temporary files: it is gone when they end.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Jest waits for what this returns, and starts its workers with this environment. */
export default function makeTemporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'tests-'));
  // As the system's own: database servers run as users of their own.
  chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
}

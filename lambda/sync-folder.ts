import { open } from 'node:fs/promises';

/** Makes the names in a folder outlast a power cut, where its file system can do that. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

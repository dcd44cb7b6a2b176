// What the command line does with archives in a folder, for tests that have to do something in the middle of it.
export { FolderStore } from '../../lambda/archive/folder-store.js';
export { readKeyFile } from '../../lambda/archive/raw-key.js';
export type { UndoPreview } from '../../lambda/archive/requests.js';
export { restoreTenant } from '../../lambda/archive/restore-tenant.js';
export { undoRestore } from '../../lambda/archive/undo-restore.js';
export { parseServer } from '../../lambda/engine/server.js';

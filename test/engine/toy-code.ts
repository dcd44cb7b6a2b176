// What the test of the toy engine calls, for one bundle.
export { compareTenant } from '../../lambda/archive/compare-tenant.js';
export { dumpTenant } from '../../lambda/archive/dump-tenant.js';
export { FolderStore } from '../../lambda/archive/folder-store.js';
export { listArchives } from '../../lambda/archive/list-archives.js';
export { generateKeyFile, readKeyFile } from '../../lambda/archive/raw-key.js';
export { rehearseRestore, restoreAs, restoreToFile } from '../../lambda/archive/restore-beside.js';
export { restoreTenant } from '../../lambda/archive/restore-tenant.js';
export { undoRestore } from '../../lambda/archive/undo-restore.js';
export { verifyArchive } from '../../lambda/archive/verify-archive.js';
export { databases } from './toy.js';

// What only restores need, loaded as one when there is one.
export { prepareRestore } from './restore.js';
export { prepareRows, undoRows } from './rows/restore.js';
export { prepareSchema, undoSchema } from './schema/restore.js';
export { undo } from './undo.js';

// What the corruption test calls, for one bundle: classes are told apart by identity.
export { openDump, openManifest } from '../../lambda/archive/open-archive.js';
export { readKeyFile } from '../../lambda/archive/raw-key.js';
export { ObjectMissingError } from '../../lambda/archive/store.js';
export { verifyArchive } from '../../lambda/archive/verify-archive.js';

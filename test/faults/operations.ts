// All that a worker does with archives, in one bundle: classes are told apart by identity.
export { dumpTenant } from '../../lambda/archive/dump-tenant.js';
export { kmsKey } from '../../lambda/archive/kms-key.js';
export { listArchives } from '../../lambda/archive/list-archives.js';
export { restoreTenant } from '../../lambda/archive/restore-tenant.js';
export { S3Store } from '../../lambda/archive/s3-store.js';
export { verifyArchive } from '../../lambda/archive/verify-archive.js';
export { parseServer } from '../../lambda/engine/server.js';

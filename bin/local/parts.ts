// What the commands on tenants are made of, loaded as one: a file more takes longer to load than what is not used of one.
// What is large and seldom needed (a bucket's SDK, KMS, YAML, an engine) is loaded where it is asked for.
export { compareTenant } from '../../lambda/archive/compare-tenant.js';
export { dumpTenant } from '../../lambda/archive/dump-tenant.js';
export { holdArchives, releaseArchives } from '../../lambda/archive/holds.js';
export { addTenantKey } from '../../lambda/archive/key-folder.js';
export { listArchives } from '../../lambda/archive/list-archives.js';
export { generateKeyFile } from '../../lambda/archive/raw-key.js';
export { CopyMissingError } from '../../lambda/archive/requests.js';
export { undoRestore } from '../../lambda/archive/undo-restore.js';
export { verifyArchive } from '../../lambda/archive/verify-archive.js';
export { engineFor } from '../../lambda/engine/engines.js';
export { findTenants, withSizes } from '../../lambda/engine/find-tenants.js';
export { parseServer } from '../../lambda/engine/server.js';
export { describeChanges } from './changes.js';
export { checkConfirm } from './confirm.js';
export { runCopy } from './copy.js';
export { runErase } from './erase.js';
export { interruptible } from './interrupt.js';
export { tellOfKey } from './new-key.js';
export { noArchives, orElsewhere } from './no-archives.js';
export { openArchives, openStore, openStores, openTargets } from './open.js';
export { runPrune } from './prune.js';
export { checkResidency } from './residency.js';
export { runRestore } from './restore.js';
export { checkCommand, inferCommand } from './tenancy.js';
export { size, Terminal } from './terminal.js';

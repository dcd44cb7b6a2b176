export * from './backup-estate';
export { EstateAudit, EstateWatch } from './estate-watch';
export { EstateRestoreTests } from './restore-tests';
export * from './territory';

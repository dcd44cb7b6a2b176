export * from './backup-estate';
export { EstateRestoreTests } from './restore-tests';
export * from './territory';

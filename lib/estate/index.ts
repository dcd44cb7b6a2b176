export * from './backup-estate';
export * from './territory';

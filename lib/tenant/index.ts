export * from './database-server';
export * from './tenant-backups';
export * from './tenant-source';

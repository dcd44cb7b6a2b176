export * from './database-server';
export * from './sql-server-staging';
export * from './tenant-backups';
export * from './tenant-backups-props';
export * from './tenant-source';

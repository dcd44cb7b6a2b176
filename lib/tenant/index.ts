export * from './database-server';
export * from './external-store';
export * from './sql-server-staging';
export * from './tenant-backups';
export * from './tenant-backups-props';
export * from './tenant-drill';
export * from './tenant-keys';
export * from './tenant-source';

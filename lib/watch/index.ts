export * from './backup-watch';
export * from './backup-watch-props';
export * from './residency-watch';
export * from './severity';

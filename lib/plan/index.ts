export * from './backup-rule';
export * from './recovery-objective';
export * from './regime-backup-plan';
export * from './resource-type';

export * from './backup-rule';
export * from './backup-rules';
export * from './organization-backup-policy';
export * from './recovery-objective';
export * from './regime-backup-plan';
export * from './regime-backup-plan-props';
export * from './resource-type';
export * from './tag-condition';

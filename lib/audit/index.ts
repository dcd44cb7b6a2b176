export * from './backup-audit';
export * from './backup-audit-props';

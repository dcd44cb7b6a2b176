export * from './regime-vault';
export * from './vault-lock';

export * from './air-gapped-vault';
export * from './legal-hold';
export * from './regime-vault';
export * from './regime-vault-props';
export * from './vault-lock';

export * from './regime';
export * from './residency';

export * from './regime';
export * from './residency';
export * from './watch';

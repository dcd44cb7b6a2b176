export * from './estate';
export * from './plan';
export * from './regime';
export * from './residency';
export * from './snapshot';
export * from './tenant';
export * from './vault';
export * from './watch';

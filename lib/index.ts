export * from './plan';
export * from './regime';
export * from './residency';
export * from './snapshot';
export * from './vault';
export * from './watch';

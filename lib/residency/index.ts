export * from './guard';
export * from './residency-policy';

export * from './residency-guard';

export * from './residency-watch';

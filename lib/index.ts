export * from './regime';

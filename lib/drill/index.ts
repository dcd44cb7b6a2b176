export * from './restore-testing-plan';
export * from './restore-testing-selection';
export * from './restore-validator';

import { join } from 'node:path';

// The built programs are started many hundred times: what Node compiled once, it need not compile again.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '.cache/compiled');

// Tests run against the built package (dist/): `npm test` builds first.
const transform = {
  '^.+\\.m?tsx?$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }],
};

export default {
  // Programs of other versions, unpacked for tests, are no modules of ours.
  modulePathIgnorePatterns: ['<rootDir>/.cache/'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform,
  // Sources of lambda/ and bin/ name each other as they will be named when built.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'] },
  moduleFileExtensions: ['ts', 'mts', 'js', 'mjs', 'json', 'node'],
  globalSetup: '<rootDir>/test/support/temporary-files.mjs',
  testEnvironment: '<rootDir>/test/support/one-context.mjs',
  testEnvironmentOptions: { globalsCleanup: 'off' },
  setupFiles: ['<rootDir>/test/support/shared-modules.cjs'],
  testSequencer: '<rootDir>/test/support/sequencer.mjs',
  // Two cores, and tests that wait a part of their time for servers and timeouts.
  maxWorkers: 3,
  testTimeout: 120_000,
};

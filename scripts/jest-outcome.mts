import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Outcome {
  readonly passed: number;
  /** Names of the tests, or of files that could not be run. */
  readonly failed: readonly string[];
  readonly seconds: number;
}

/** Runs some of the tests in an environment of their own; what jest said is passed on where one failed. */
export function runTests(tests: readonly string[], env: NodeJS.ProcessEnv, results: string): Outcome {
  const began = Date.now();
  const args = ['node_modules/jest/bin/jest.js', ...tests, '--json', `--outputFile=${results}`];
  const jest = spawnSync(process.execPath, args, {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
  });
  const { numPassedTests, testResults } = JSON.parse(readFileSync(results, 'utf8')) as {
    numPassedTests: number;
    testResults: {
      status: string;
      message: string;
      name: string;
      assertionResults: { status: string; fullName: string }[];
    }[];
  };
  const failed = testResults.flatMap(({ assertionResults, status, name, message }) => {
    const names = assertionResults.filter((test) => test.status === 'failed').map((test) => test.fullName);
    return names.length === 0 && status === 'failed' ? [`${name}: ${message.split('\n')[0]}`] : names;
  });
  if (failed.length > 0) process.stderr.write(jest.stderr);
  return { passed: numPassedTests, failed, seconds: Math.round((Date.now() - began) / 1000) };
}

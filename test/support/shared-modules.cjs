// Jest loads every module anew for each test file, which for CDK is a large part of its time. CDK keeps nothing of one
// app for the next: Node loads it once for all files of a worker.
const shared = globalThis[Symbol.for('modules that test files share')];

const { exports: entries } = shared('aws-cdk-lib/package.json');
const names = Object.keys(entries)
  .filter((entry) => /^\.(\/[a-z0-9-]+)?$/.test(entry))
  .map((entry) => `aws-cdk-lib${entry.slice(1)}`);
for (const name of [...names, 'constructs', 'cdk-nag']) jest.mock(name, () => shared(name));

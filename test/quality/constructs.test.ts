import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lib from 'cdk-sovereign-backup';
import { Construct } from 'constructs';
import { lint } from '../support/cfn-lint';
import { isOfIdentity, type Resource, statements, unreasoned } from '../support/iam';
import { withEveryPack } from '../support/nag';
import { seeded, seedOf, someOf } from '../support/random';
import { appWith, complaint, stackIn } from '../synth';
import { CONSTRUCTS, type Made, Params, PLACES } from './constructs';

const exported = Object.entries(lib)
  .filter(([, each]) => typeof each === 'function' && each.prototype instanceof Construct)
  .map(([name]) => name);

test('every exported construct is in the table', () => {
  expect(Object.keys(CONSTRUCTS).sort()).toEqual(exported.sort());
});

const cases = Object.entries(PLACES).flatMap(([partition, place]) =>
  (partition === 'aws' ? (['weak', 'strong'] as const) : (['weak'] as const)).map(
    (strength) => [partition, strength, place] as const,
  ),
);

/** Whether it refers to something that may be in another stack. */
const refersElsewhere = (make: Made['make']) => make.length > 3;

/** Those in whose templates the partition shows most; each run lints them for one of the others, as it takes long. */
const OF_PARTITIONS = /^(BackupAudit|BackupWatch|RestoreTestingPlan)$/;
const PARTITIONS_LINTED = new Set([
  'aws',
  ...someOf(
    Object.keys(PLACES).filter((partition) => partition !== 'aws'),
    1,
    seeded(seedOf('the partition that is linted')),
  ),
]);

/** Properties that are names: not of metrics, nor of policies within their role. */
const OWN_NAME = /^(?!AWS::IAM::Policy )\S+ (?!MetricName)\w*Name$/;

describe.each(cases)('in %s with %s references', (partition, strength, place) => {
  const app = appWith({ '@aws-cdk/core:defaultCrossStackReferences': strength });
  // That they do not get in each other's way has nothing to do with the partition.
  const ids = partition === 'aws' ? ['One', 'Two'] : ['One'];
  const pairs: { readonly name: string; readonly apart: Stack }[] = [];
  for (const [name, { make, absent, ofApp }] of Object.entries(CONSTRUCTS)) {
    if (absent?.includes(partition)) continue;
    const env = { account: '111111111111', region: place.home };
    const scope = ofApp ? app : new Stack(app, name, { env });
    for (const id of ids) make(scope, id, place, scope);
    if (!refersElsewhere(make)) continue;
    // What it refers to is in another stack: the two strengths differ there alone.
    const near = new Stack(app, `${name}Near`, { env });
    const apart = new Stack(app, `${name}Apart`, { env });
    make(apart, 'Three', place, near);
    pairs.push({ name, apart });
  }

  test(`all of them synthesize, ${ids.length} of each in a stack`, () => expect(complaint(app)).toBe(''));

  test('what is in another stack is referred to as was asked for', () => {
    const intrinsic = { weak: 'Fn::GetStackOutput', strong: 'Fn::ImportValue' };
    const referring = pairs.filter(({ apart }) => {
      const text = JSON.stringify(Template.fromStack(apart).toJSON());
      const found = Object.values(intrinsic).filter((each) => text.includes(each));
      expect([undefined, intrinsic[strength]]).toContain(found[0]);
      return found.length === 1;
    });
    // The others name what they need by tags, and by names that are known without references.
    expect(referring.map(({ name }) => name)).toEqual(['BackupWatch', 'TenantDrill']);
  });

  // Linting takes long: estates and tenants have templates of the example's, which are linted on their own.
  const wanted = partition === 'aws' ? /^(?!Estate|Tenant).*(?<!Near|Apart)$/ : OF_PARTITIONS;
  const linted = app.node.children
    .filter((each) => Stack.isStack(each))
    .filter(
      ({ stackName }) => strength === 'weak' && wanted.test(stackName) && PARTITIONS_LINTED.has(partition),
    );
  for (const stack of linted) {
    test(`cfn-lint is content with ${stack.stackName}`, async () => expect(await lint(app, stack)).toBe(''));
  }

  test('no two of them have one name, which AWS would refuse at deployment', () => {
    const owners = new Map<string, string[]>();
    for (const stack of app.node.findAll().filter((each) => Stack.isStack(each))) {
      const resources: Record<string, Resource> = Template.fromStack(stack).toJSON().Resources;
      for (const [id, { Type: type, Properties: properties }] of Object.entries(resources)) {
        const named = Object.entries(properties ?? {}).filter(([key]) => OWN_NAME.test(`${type} ${key}`));
        for (const [key, value] of named) {
          if (typeof value !== 'string') continue;
          const text = [stack.region, stack.account, type, key, value].join(' ');
          owners.set(text, [...(owners.get(text) ?? []), `${stack.stackName} ${id}`]);
        }
      }
    }
    expect(owners.size).toBeGreaterThan(5);
    expect([...owners].filter(([, all]) => all.length > 1)).toEqual([]);
  });

  test('no role may do everything, or anything to everything', () => {
    let seen = 0;
    const found: string[] = [];
    for (const stack of app.node.findAll().filter((each) => Stack.isStack(each))) {
      const resources: Record<string, Resource> = Template.fromStack(stack).toJSON().Resources;
      for (const [id, resource] of Object.entries(resources)) {
        if (!isOfIdentity(resource)) continue;
        seen += [...statements(resource.Properties)].length;
        found.push(...unreasoned(resource).map((action) => `${stack.stackName} ${id}: ${action}`));
      }
    }
    expect(found).toEqual([]);
    expect(seen).toBeGreaterThan(100);
  });

  test('no ARN and no service name is of another partition', () => {
    const { directory } = app.synth();
    const templates = readdirSync(directory).filter((file) => file.endsWith('.template.json'));
    expect(templates.length).toBeGreaterThan(10);
    for (const file of templates) {
      const text = readFileSync(join(directory, file), 'utf8');
      const others = Object.keys(PLACES).filter((other) => other !== partition);
      for (const other of others) {
        expect([file, new RegExp(`.{0,60}\\barn:${other}:.{0,60}`).exec(text)?.[0]]).toEqual([
          file,
          undefined,
        ]);
      }
    }
  });
});

test.each(
  Object.entries(CONSTRUCTS).flatMap(([name, { absent = [] }]) =>
    absent.map((partition) => [name, partition] as const),
  ),
)('CDK says that %s is not to be had in %s', (name, partition) => {
  const place = PLACES[partition]!;
  const app = appWith();
  const stack = stackIn(place.home, app);
  CONSTRUCTS[name]!.make(stack, 'One', place, stack);
  expect(complaint(app)).toContain(`does not exist in '${place.home}'`);
});

test('those that can be are right in a stack whose region is not known', () => {
  const app = appWith();
  let made = 0;
  for (const [name, { agnostic }] of Object.entries(CONSTRUCTS)) {
    if (!agnostic) continue;
    made++;
    const stack = stackIn(undefined, app, name);
    for (const id of ['One', 'Two']) agnostic(stack, id);
  }
  expect(made).toBeGreaterThan(5);
  expect(complaint(app)).toBe('');
});

test.each(
  Object.entries(CONSTRUCTS)
    .filter(([name, { agnostic }]) => !agnostic && name !== 'BackupEstate')
    .map(([name]) => name),
)('%s says what to write where the region is not known', (name) => {
  const app = appWith();
  const stack = stackIn(undefined, app);
  let thrown = '';
  try {
    CONSTRUCTS[name]!.make(stack, 'One', { ...PLACES.aws!, copy: undefined }, stack);
  } catch (error) {
    thrown = (error as Error).message;
  }
  expect(thrown + complaint(app)).toMatch(/known only at deployment|the stack has none/);
});

test.each(Object.entries(PLACES))(
  'every pack of cdk-nag, and CDK itself, is content with each of them in %s',
  (partition, place) => {
    const app = withEveryPack(appWith());
    for (const [name, { make, absent, ofApp }] of Object.entries(CONSTRUCTS)) {
      if (absent?.includes(partition)) continue;
      const scope = ofApp ? app : stackIn(place.home, app, name);
      make(scope, 'One', place, scope);
    }
    expect(complaint(app)).toBe('');
  },
);

describe('with parameters of the template for what may be settled at deployment', () => {
  const app = appWith();
  const made = Object.entries(CONSTRUCTS).map(([name, { tokens, ofApp }]) => {
    const scope = ofApp ? app : stackIn('eu-central-1', app, name);
    const params = new Params(scope);
    const construct = tokens(scope, 'One', params);
    const stacks = ofApp ? construct.node.children.filter((each) => Stack.isStack(each)) : [scope as Stack];
    return { name, params, stacks };
  });

  test('all of them synthesize', () => expect(complaint(app)).toBe(''));

  test.each(made)('$name refers to each, and spoils none', ({ stacks, params }) => {
    const text = stacks
      .map((stack) => Template.fromStack(stack).toJSON())
      .map(({ Parameters: _, ...template }) => JSON.stringify(template))
      .join('\n');
    for (const name of params.names) expect(text).toContain(`"Ref":"${name}"`);
    // A token that was taken for text, or for a number.
    expect(text).not.toMatch(/Token\[|%24%7B|[-.\d]+e\+\d{2,}/);
  });

  // The largest templates have their parameters where others have references.
  const linted = made.filter(({ name }) => !/^(BackupEstate|BackupWatch|Tenant)/.test(name));
  test('cfn-lint is content with them', async () => {
    const found = await Promise.all(linted.flatMap(({ stacks }) => stacks.map((stack) => lint(app, stack))));
    expect(found.filter((each) => each !== '')).toEqual([]);
  });
});

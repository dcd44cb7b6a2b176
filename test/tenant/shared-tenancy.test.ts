import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DatabaseServer, TenantBackups, TenantSource } from 'cdk-sovereign-backup';
import { stackIn } from '../synth';

function templateOf(source: (server: DatabaseServer) => TenantSource): Template {
  const stack = stackIn('eu-central-1');
  const secret = Secret.fromSecretNameV2(stack, 'Login', 'db/backup');
  const server = DatabaseServer.fromEndpoint({ host: 'db.example.internal', user: 'backup', secret });
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0, restrictDefaultSecurityGroup: false });
  const vpcSubnets = { subnets: vpc.isolatedSubnets.length > 0 ? vpc.isolatedSubnets : vpc.publicSubnets };
  new TenantBackups(stack, 'Tenants', { source: source(server), vpc, vpcSubnets });
  return Template.fromStack(stack);
}
const withEnvironment = (variables: object) => ({
  Environment: { Variables: Match.objectLike(variables) },
});

test('schemas of a shared database: worker and discovery know the database and the pattern', () => {
  const template = templateOf((server) => TenantSource.schemas(server, 'app', 'tenant\\_%'));
  const shared = { SOVEREIGN_TENANCY: 'schema', SOVEREIGN_DATABASE: 'app' };
  template.resourcePropertiesCountIs('AWS::Lambda::Function', withEnvironment(shared), 2);
  template.hasResourceProperties(
    'AWS::Lambda::Function',
    withEnvironment({ ...shared, SOVEREIGN_TENANT_PATTERN: 'tenant\\_%' }),
  );
});

test('rows of shared tables: the description is an asset that both may read', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'tenancy-')), 'tenancy.yaml');
  writeFileSync(file, 'schemaVersion: 1\ntables: [{ table: notes, column: tenant_id }]\n');
  const template = templateOf((server) => TenantSource.rows(server, 'app', file));
  template.resourcePropertiesCountIs(
    'AWS::Lambda::Function',
    withEnvironment({
      SOVEREIGN_TENANCY: 'rows',
      SOVEREIGN_TENANCY_BUCKET: Match.anyValue(),
      SOVEREIGN_TENANCY_KEY: Match.stringLikeRegexp('\\.yaml$'),
    }),
    2,
  );
  const reading = Object.values(template.findResources('AWS::IAM::Policy')).filter((policy) =>
    JSON.stringify(policy).includes('cdk-hnb659fds-assets'),
  );
  expect(reading.length).toBeGreaterThanOrEqual(2);
});

test('a source that cannot be is refused', () => {
  const server = DatabaseServer.prototype;
  expect(() => TenantSource.schemas(server, '', '%')).toThrow('the database has no name');
  expect(() => TenantSource.schemas(server, 'app', ' ')).toThrow('the pattern is empty');
  expect(() => TenantSource.rows(server, 'app', '')).toThrow('name the tenancy description');
  expect(() => templateOf((own) => TenantSource.rows(own, 'app', '/not/there.yaml'))).toThrow(
    '"/not/there.yaml" is not there; `sovereign-backup tenancy infer` writes a first one',
  );
});

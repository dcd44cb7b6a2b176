import { Template } from 'aws-cdk-lib/assertions';
import { DatabaseServer, TenantBackups, TenantSource } from 'cdk-sovereign-backup';
import { appWith, stackIn } from '../synth';

/** The template of tenant backups, with a list of so many tenants. */
function templateFor(tenants: number): Record<string, { readonly Type: string }> & object {
  const stack = stackIn('eu-central-1', appWith());
  const server = DatabaseServer.fromEndpoint({ host: 'db.internal' });
  const list = Array.from({ length: tenants }, (_, i) => ({ tenant: `tenant-${i}` }));
  new TenantBackups(stack, 'Tenants', { source: TenantSource.list(server, list) });
  return Template.fromStack(stack).toJSON().Resources;
}

test('ten thousand tenants make the same resources, and the same template, as one', () => {
  const [one, many] = [templateFor(1), templateFor(10_000)];
  const types = (resources: ReturnType<typeof templateFor>) =>
    Object.values(resources).map(({ Type }) => Type);
  expect(types(many)).toEqual(types(one));
  expect(types(many).length).toBeGreaterThan(20);
  // The digits of the count may differ, and the hash that names the list.
  expect(Math.abs(JSON.stringify(many).length - JSON.stringify(one).length)).toBeLessThan(100);
});

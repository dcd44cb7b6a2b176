import pg from 'pg';
import { InputError } from '../../../errors.js';
import type { Omission, TenantScope } from '../../engine.js';
import { databaseName } from '../names.js';
import { largeObjectsOf } from '../omissions.js';
import { dependenciesOf, type OutsideObject, rolesOf, shortList } from './dependencies.js';

export type SchemaScope = Extract<TenantScope, { tenancy: 'schema' }>;

/** What an archive of a schema says that its restore needs; the manifest's `engine.properties`. */
export interface SchemaProperties {
  readonly comment: string | null;
  readonly extensions: readonly string[];
  /** Objects of other schemas that must be there. */
  readonly required: readonly OutsideObject[];
}

/** Schemas that are everybody's, or the server's. */
export function checkSchema(schema: string): string {
  databaseName(schema);
  if (/^pg_/.test(schema) || schema === 'information_schema' || schema === 'public')
    throw new InputError(
      `schema ${JSON.stringify(schema)} is not one tenant's: it cannot be renamed without everybody noticing; give the tenant's with --schema`,
    );
  return schema;
}

/** The options by which pg_dump takes this schema and no other. */
export function schemaArguments({ schema }: SchemaScope): string[] {
  // Between double quotes pg_dump takes every character for itself.
  return [`--schema=${pg.escapeIdentifier(schema)}`, '--strict-names'];
}

/** What a dump of the schema refers to and leaves out; refuses what no restore could bring back. */
export async function describeSchema(client: pg.Client, scope: SchemaScope) {
  const { schema } = scope;
  const { rows } = await client.query<{ comment: string | null; bytes: string }>(
    `select obj_description(n.oid, 'pg_namespace') as comment,
       (select coalesce(sum(pg_total_relation_size(c.oid)), 0) from pg_class c where c.relnamespace = n.oid and c.relkind in ('r', 'm')) as bytes
     from pg_namespace n where nspname = $1`,
    [schema],
  );
  const found = rows[0];
  if (!found)
    throw new InputError(
      `there is no schema ${JSON.stringify(schema)} in the database; check the tenant's name, or give --schema`,
    );
  const { needs, extensions, neededBy, installed } = await dependenciesOf(client, schema);
  if (installed.length > 0)
    throw new InputError(
      `extensions are installed in schema ${JSON.stringify(schema)}: ${installed.join(', ')}; a database has each only once, so they could not be restored beside: move them (ALTER EXTENSION … SET SCHEMA)`,
    );
  if (needs.length > 0 && scope.outside !== 'require')
    throw new InputError(
      `schema ${JSON.stringify(schema)} needs objects of other schemas, which a dump of it does not hold: ${shortList(needs.map(({ text }) => text))}; ` +
        'give --outside require to note them in the archive and require them of the restore',
    );
  const omitted: Omission[] = [
    { what: 'roles and their passwords', why: 'they belong to the server, not to one schema' },
    ...extensions.map((name) => ({
      what: `extension ${name}`,
      why: 'it belongs to the database, and must be installed in the one that the archive is restored to',
    })),
    ...needs.map(({ text }) => ({
      what: text,
      why: 'it is of another schema, and must be in the database that the archive is restored to',
    })),
    ...neededBy.map((text) => ({
      what: text,
      why: 'it is of another schema, and needs this one: a restore refuses to leave it with the old schema',
    })),
    ...(await largeObjectsOf(
      client,
      'c.relnamespace = (select oid from pg_namespace where nspname = $1)',
      schema,
    )),
  ];
  const properties: SchemaProperties = { comment: found.comment, extensions, required: needs };
  return {
    roles: await rolesOf(client, schema),
    omitted,
    properties: properties as unknown as Record<string, unknown>,
    bytes: Number(found.bytes),
  };
}

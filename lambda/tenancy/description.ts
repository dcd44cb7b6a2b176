/**
 * Which tables of a shared database hold tenants' rows, and how a row tells its tenant. Written by people, or inferred
 * and reviewed by them; the same for every engine.
 */
export interface TenancyDescription {
  readonly schemaVersion: 1;
  /** The list of tenants, where a table has one: discovery reads it, and a tenant that is not in it is refused. */
  readonly tenants?: TableColumn;
  readonly tables: readonly TableTenancy[];
}

/** A table. The schema is empty where nothing was written: then it is the engine's default one. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

export interface TableColumn extends TableName {
  readonly column: string;
}

export type TableTenancy = TableName & {
  /** Why, for whoever reads the file. */
  readonly why?: string;
  /** Read whole for every tenant, because no index leads to a tenant's rows; without this it is refused. */
  readonly unindexed?: boolean;
  /** Its triggers may run while rows are restored, where the engine cannot turn them off; without this it is refused. */
  readonly triggersRun?: boolean;
} & Rule;

export type Rule =
  | { readonly column: string }
  /** Its rows belong to whom the row belongs that this foreign key refers to. */
  | { readonly through: Through }
  /** Shared by all tenants: neither dumped nor restored. */
  | { readonly reference: true };

export interface Through {
  readonly columns: readonly string[];
  readonly to: TableName;
  readonly toColumns: readonly string[];
}

/** Tells tables apart, whatever their names hold. */
export function keyOf({ schema, table }: TableName): string {
  return JSON.stringify([schema, table]);
}

/** For messages: `public.orders`. */
export function nameOf({ schema, table }: TableName): string {
  return schema === '' ? table : `${schema}.${table}`;
}

/** The same with an engine's default schema where none was written. */
export function withSchema(description: TenancyDescription, schema: string): TenancyDescription {
  const named = <Name extends TableName>(name: Name): Name =>
    name.schema === '' ? { ...name, schema } : name;
  return {
    ...description,
    ...(description.tenants ? { tenants: named(description.tenants) } : {}),
    tables: description.tables.map((table) => {
      const own = named(table);
      return 'through' in own ? { ...own, through: { ...own.through, to: named(own.through.to) } } : own;
    }),
  };
}

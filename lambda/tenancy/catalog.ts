import type { TableName } from './description.js';

/** What an engine knows of its live tables, in words that planning needs: nothing in here is of one engine. */
export interface CatalogTable extends TableName {
  /** A table that is none of these kinds alone is of the first that fits. */
  readonly kind: 'table' | 'partitioned' | 'foreign' | 'inherited';
  readonly columns: readonly CatalogColumn[];
  /** Empty where there is none. */
  readonly primaryKey: readonly string[];
  readonly foreignKeys: readonly ForeignKey[];
  /** The leading columns of every index that covers all rows. */
  readonly indexes: readonly (readonly string[])[];
  /** By the engine's statistics; negative where it has none. */
  readonly estimatedRows: number;
  /** Why rows of one tenant cannot be restored in it, as a message goes on: `has the engine MyISAM, …`. */
  readonly unfit?: string;
  /** Triggers that no restore can keep from running. */
  readonly triggers?: readonly string[];
}

export interface CatalogColumn {
  readonly name: string;
  /** As the engine writes it, with length and precision. */
  readonly type: string;
  readonly nullable: boolean;
  /** Computed by the engine, so never written. */
  readonly generated: boolean;
  /** Filled by the engine where nothing is given. */
  readonly hasDefault: boolean;
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly to: TableName;
  readonly toColumns: readonly string[];
  readonly onDelete: 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';
  readonly deferrable: boolean;
}

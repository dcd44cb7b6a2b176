import type { Finding } from './model';

/** What the audit is given: templates that somebody else has read, and where they are deployed. */

/** A parsed CloudFormation template: only its top-level shape is known. */
export type TemplateDocument = Readonly<Record<string, unknown>>;

export interface TemplateInput {
  /** As given on the command line, or relative to the folder given there. */
  readonly path: string;
  /** Of the file's bytes, hexadecimal. */
  readonly sha256: string;
  readonly document: TemplateDocument;
  /** The stack's name where the assembly says one. */
  readonly stack: string | null;
  readonly region: string | null;
  readonly account: string | null;
  /** Values given for the template's parameters, over the defaults. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Construct path of a logical id, where the assembly says one and the template's metadata does not. */
  readonly constructPaths?: Readonly<Record<string, string>>;
  /** What was learnt when the document was pruned to what the audit needs; absent for a document as it was read. */
  readonly facts?: TemplateFacts;
  /** Templates of the nested stacks in this one, by the logical id of the `AWS::CloudFormation::Stack`. */
  readonly nested?: Readonly<Record<string, TemplateInput>>;
}

export interface TemplateFacts {
  /** Chains of resources that need each other in a circle. */
  readonly circles: readonly (readonly string[])[];
  /** Macros that rewrite the template at deployment, and that this audit does not run. */
  readonly macros: readonly string[];
}

export interface AuditOptions {
  /** Exceptions and acceptances are judged as of this moment: the same moment gives the same result. */
  readonly now: Date;
  /** What was found while the inputs were read; goes first among the findings. */
  readonly notes?: readonly Finding[];
}

/** Something wrong with what the user gave: which file, where in it, what is wrong, what to do. */
export class InputError extends Error {
  public readonly exitCode = 2;
}

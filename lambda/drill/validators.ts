import { database } from './database.js';
import { hook } from './hook.js';
import { instance } from './instance.js';
import { items } from './items.js';
import { objects } from './objects.js';
import type { Validator } from './validator.js';

/** The checks by the name that a declaration gives them. Their settings come from our own constructs. */
// biome-ignore lint/suspicious/noExplicitAny: each validator has settings of its own
export const validators: Readonly<Record<string, Validator<any>>> = {
  database,
  hook,
  instance,
  items,
  objects,
};

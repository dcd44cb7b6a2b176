import type { Command } from 'commander';
import { registerAudit } from './audit.js';
import { compare } from './compare.js';
import { copy } from './copy.js';
import { registerDiff } from './diff.js';
import { dump } from './dump.js';
import { erase, rekey } from './erase.js';
import { registerGuard } from './guard.js';
import { hold, release } from './hold.js';
import { keygen } from './keygen.js';
import { list } from './list.js';
import { registerObjectives } from './objectives.js';
import { prune } from './prune.js';
import { restore } from './restore.js';
import { registerSettings } from './settings.js';
import { tenancy } from './tenancy.js';
import { tenants } from './tenants.js';
import { undo } from './undo.js';
import { verify } from './verify.js';

/** Adds one subcommand, or one family of them, to the program. */
export type Register = (program: Command) => void;

export const commands: Register[] = [
  registerAudit,
  registerDiff,
  registerGuard,
  registerObjectives,
  registerSettings,
  keygen,
  dump,
  list,
  verify,
  compare,
  restore,
  undo,
  tenancy,
  tenants,
  copy,
  prune,
  hold,
  release,
  rekey,
  erase,
];

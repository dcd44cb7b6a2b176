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
import type { Register } from './register.js';
import { restore } from './restore.js';
import { registerSettings } from './settings.js';
import { tenancy } from './tenancy.js';
import { tenants } from './tenants.js';
import { undo } from './undo.js';
import { verify } from './verify.js';

/** By the name of the command that each adds. */
export const commands: ReadonlyMap<string, Register> = new Map([
  ['audit', registerAudit],
  ['diff', registerDiff],
  ['guard', registerGuard],
  ['objectives', registerObjectives],
  ['settings', registerSettings],
  ['keygen', keygen],
  ['dump', dump],
  ['list', list],
  ['verify', verify],
  ['compare', compare],
  ['restore', restore],
  ['undo', undo],
  ['tenancy', tenancy],
  ['tenants', tenants],
  ['copy', copy],
  ['prune', prune],
  ['hold', hold],
  ['release', release],
  ['rekey', rekey],
  ['erase', erase],
]);

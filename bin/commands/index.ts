import type { Command } from 'commander';
import { registerAudit } from './audit.js';
import { registerDiff } from './diff.js';

/** Adds one subcommand, or one family of them, to the program. */
export type Register = (program: Command) => void;

export const commands: Register[] = [registerAudit, registerDiff];

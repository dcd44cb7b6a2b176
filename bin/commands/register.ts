import type { Command } from 'commander';

/** Adds one subcommand, or one family of them, to the program. */
export type Register = (program: Command) => void;

import type { Register } from './register.js';

export const keygen: Register = (program) => {
  program
    .command('keygen')
    .description('make a key file for archives: 256 random bits, readable by you alone, never overwriting')
    .argument('<keyfile>', 'the file to make')
    .addHelpText(
      'after',
      `
Without this file no archive written under it can be read again, by anybody: keep a copy in another safe place.

Example:
  sovereign-backup keygen ~/.config/sovereign-backup.key`,
    )
    .action(async (path: string) => {
      const { generateKeyFile, tellOfKey } = await import('../local/parts.js');
      tellOfKey({ ...(await generateKeyFile(path)), file: path });
    });
};

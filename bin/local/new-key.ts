/** Of a key that was just made, and of which nobody has a copy yet. */
export function tellOfKey({ id, file }: { readonly id: string; readonly file: string }): void {
  process.stderr.write(
    `key ${id} written to ${file}\nKeep a copy in another safe place: without it, no archive written under it can be read.\n`,
  );
}

/**
 * A mistake in a declaration: something the author of the app can put right.
 *
 * The message says what was wrong, where, what was given, what is allowed and what to write instead. The exit code is
 * the command line's "bad input", so that a tool that meets the error prints the message and no stack trace.
 */
export class DeclarationError extends Error {
  public readonly exitCode = 2;

  constructor(message: string) {
    super(message);
    this.name = 'DeclarationError';
  }
}

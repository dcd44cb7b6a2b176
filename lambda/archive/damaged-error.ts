import { OperationError } from '../errors.js';

/** The bytes are not what was written under this key and context: changed, cut, extended, or somebody else's. */
export class DamagedError extends OperationError {}

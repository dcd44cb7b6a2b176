import { InputError, OperationError } from '../errors.js';

/** Why there is no connection, for people: each engine's driver says it in its own words. */
export function unreachable(server: string, reason: string): Error {
  if (/certificate|self.signed|altnames|unable to verify/i.test(reason))
    return new InputError(
      `${server} did not prove that it is the one that was meant: ${reason}; give its certificates as sslrootcert=FILE`,
    );
  if (/encryption|support (ssl|secure)/i.test(reason))
    return new InputError(
      `${server} offers no encryption: ${reason}; enable TLS on it, or write sslmode=disable`,
    );
  return new OperationError(
    `${server} cannot be reached: ${reason}; check host, port, and that the network lets this machine in`,
  );
}

import { setTimeout as sleep } from 'node:timers/promises';
import { describeServer, type ServerAddress } from '../engine/server.js';
import { reasonOf } from '../errors.js';

/** How often a replica is asked, because it ends a long read that is in the way of what it has to replay. */
const ATTEMPTS = 3;
/** It says why only where somebody waits for its answer; elsewhere the session is just gone, and with it its snapshot. */
const ENDED =
  /conflict with recovery|was lost|closed the connection|terminat(ed|ing) connection|invalid snapshot identifier/;
const AWAY =
  /cannot be reached|takes no session|starting up|shutting down|did not prove|offers no encryption/;

/**
 * Dumps from the replica where one is given, and from the primary when the replica cannot be reached or ends the dump
 * again and again. Anything else that goes wrong there would go wrong on the primary, too.
 */
export async function preferringReplica<T>(
  request: {
    readonly server: ServerAddress;
    readonly replica?: ServerAddress;
    readonly signal?: AbortSignal;
  },
  say: (message: string) => void,
  dump: (server: ServerAddress) => Promise<T>,
): Promise<T> {
  const { server, replica, signal } = request;
  if (!replica) return dump(server);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await dump(replica);
    } catch (error) {
      signal?.throwIfAborted();
      const reason = reasonOf(error);
      const ended = ENDED.test(reason);
      if (!ended && !AWAY.test(reason)) throw error;
      if (!ended || attempt === ATTEMPTS) {
        say(
          `${describeServer(replica)} did not give a dump (${reason}); dumping from ${describeServer(server)}`,
        );
        return dump(server);
      }
      const seconds = 2 ** attempt;
      say(`the replica ended the dump (${reason}), as it does to replay what came in; again in ${seconds} s`);
      await sleep(seconds * 1000, undefined, signal ? { signal } : {});
    }
  }
}

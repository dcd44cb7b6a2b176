import { WatchSeverity } from './severity';

/** An event that is told of: what EventBridge matches, and the sentence that people get. */
export interface WatchedEvent {
  /** Names the rule. */
  readonly id: string;
  readonly severity: WatchSeverity;
  readonly description: string;
  /** A pattern of EventBridge, as JSON. */
  readonly pattern: Readonly<Record<string, unknown>>;
  /** With paths into the event in braces: `{detail.state}`. A path that is not there leaves nothing. */
  readonly sentence: string;
}

/** What the events are about. */
export interface Watched {
  readonly partition: string;
  readonly account: string;
  readonly vaultNames: readonly string[];
  readonly vaultArns: readonly string[];
  readonly planIds: readonly string[];
  readonly planArns: readonly string[];
  readonly policyIds: readonly string[];
  readonly policyArns: readonly string[];
  /** Of the keys of vaults. */
  readonly keyArns: readonly string[];
  readonly keyIds: readonly string[];
  /** Roles of ours that delete snapshots when they expire. */
  readonly expiringRoles: readonly string[];
}

/** AWS Backup says `state` in some events and `status` in others: both are asked for. */
export function inState(states: readonly unknown[], more: Readonly<Record<string, unknown>> = {}) {
  return { ...more, $or: [{ state: states }, { status: states }] };
}

/** A call that CloudTrail records, also one that was denied: an attempt is an attempt. */
export function call(
  source: string,
  eventName: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
) {
  return {
    source: [source],
    'detail-type': ['AWS API Call via CloudTrail'],
    detail: { eventName, ...more },
  };
}

/** Who called, whence, and with what outcome. */
export const CALLER =
  '{detail.eventName} by {detail.userIdentity.arn} from {detail.sourceIPAddress} at {detail.eventTime} ({detail.errorCode})';

export const { CRITICAL, WARNING, INFO } = WatchSeverity;

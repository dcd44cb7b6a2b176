import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Below what a log line of ours holds at most, and enough for a reason. */
const LONGEST = 1000;

/**
 * The last thing that a task said before it ended: of one that failed the reason, of one that was killed how far it was.
 * Undefined where nothing can be read: a report must not fail of it.
 */
export async function lastWords(group: string, stream: string): Promise<string | undefined> {
  const client = new CloudWatchLogsClient({
    requestHandler: new NodeHttpHandler({ connectionTimeout: 5000, socketTimeout: 10_000 }),
  });
  try {
    const { events = [] } = await client.send(
      new GetLogEventsCommand({ logGroupName: group, logStreamName: stream, limit: 50 }),
    );
    return events
      .map(({ message }) => said(message ?? ''))
      .findLast((text) => text !== undefined)
      ?.slice(0, LONGEST);
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}

/** Of a record of the log its message, and the cause in it; of anything else the line. Figures say nothing. */
function said(line: string): string | undefined {
  try {
    const { message, cause } = JSON.parse(line) as { message?: unknown; cause?: unknown };
    return typeof message === 'string' ? [message, cause].filter(Boolean).join(': ') : undefined;
  } catch {
    return line.trim() || undefined;
  }
}

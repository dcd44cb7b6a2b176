import {
  type AttributeValue,
  DescribeTableCommand,
  DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { nameIn, ValidationFailure, type Validator } from './validator.js';

export interface ItemsSettings {
  readonly minimumItems: number;
  /** Share of the source table's items that must be there, 0 to 1. */
  readonly shareOfSource?: number;
}

const POLL_MILLISECONDS = 10_000;

/** A DynamoDB table is active and has as many items as it should. */
export const items: Validator<ItemsSettings> = async (restored, settings, run) => {
  const dynamodb = new DynamoDBClient();
  const table = nameIn(restored.arn);
  for (;;) {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: table }));
    if (Table?.TableStatus === 'ACTIVE') break;
    await run.pause(POLL_MILLISECONDS, `table ${table} is ${Table?.TableStatus}`);
  }
  let expected = settings.minimumItems;
  if (settings.shareOfSource !== undefined && restored.sourceArn) {
    const { Table } = await dynamodb.send(
      new DescribeTableCommand({ TableName: nameIn(restored.sourceArn) }),
    );
    // DynamoDB counts every six hours or so: a share leaves room for what came and went since.
    expected = Math.max(expected, Math.ceil((Table?.ItemCount ?? 0) * settings.shareOfSource));
  }
  // ItemCount of a fresh table is not to be trusted, so items are counted, and only as many as are asked for.
  let counted = 0;
  let from: Record<string, AttributeValue> | undefined;
  do {
    if (Date.now() > run.deadline) {
      throw new ValidationFailure(
        `time to count ${counted} of ${expected} expected items only: expect fewer`,
      );
    }
    const page = await dynamodb.send(
      new ScanCommand({ TableName: table, Select: 'COUNT', ExclusiveStartKey: from }),
    );
    counted += page.Count ?? 0;
    from = page.LastEvaluatedKey;
  } while (from && counted < expected);
  if (counted < expected) {
    throw new ValidationFailure(`table ${table} has ${counted} items, at least ${expected} are expected`);
  }
  return `table ${table} is active and has at least ${expected} items`;
};

/** The fields of an ARN that say where something is. Fields are text: they may hold marks. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

/** Reads an ARN; undefined for text that is none. A mark never contains a colon, so fields can be counted. */
export function parseArn(text: string): Arn | undefined {
  if (!text.startsWith('arn:')) return undefined;
  const fields = text.split(':');
  if (fields.length < 6) return undefined;
  return {
    partition: fields[1]!,
    service: fields[2]!,
    region: fields[3]!,
    account: fields[4]!,
    resource: fields.slice(5).join(':'),
  };
}

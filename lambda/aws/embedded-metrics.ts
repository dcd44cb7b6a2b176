/**
 * Sends values to CloudWatch by the log, under exactly these dimensions: an alarm finds a metric only by all of its
 * dimensions, and Powertools adds one of its own.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function emitMetrics(
  namespace: string,
  dimensions: Readonly<Record<string, string>>,
  values: Readonly<Record<string, number>>,
  unitOf: (name: string) => 'Count' | 'Seconds' = () => 'Count',
): void {
  const record = {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [Object.keys(dimensions)],
          Metrics: Object.keys(values).map((Name) => ({ Name, Unit: unitOf(Name) })),
        },
      ],
    },
    ...dimensions,
    ...values,
  };
  // Not by console.log: Lambda puts the time before it, and the line is no JSON then.
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

import { connect } from 'node:net';
import { DescribeInstanceStatusCommand, DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { nameIn, ValidationFailure, type Validator } from './validator.js';

export interface InstanceSettings {
  /** A TCP port that must accept a connection on the private address. */
  readonly port?: number;
}

const POLL_MILLISECONDS = 10_000;

/** An EC2 instance boots, passes both status checks and, when a port is named, accepts connections on it. */
export const instance: Validator<InstanceSettings> = async (restored, { port }, run) => {
  const ec2 = new EC2Client();
  const id = nameIn(restored.arn);
  for (;;) {
    const { InstanceStatuses } = await ec2.send(
      new DescribeInstanceStatusCommand({ InstanceIds: [id], IncludeAllInstances: true }),
    );
    const found = InstanceStatuses?.[0];
    const state = found?.InstanceState?.Name;
    if (state && !['pending', 'running'].includes(state)) {
      throw new ValidationFailure(`instance ${id} is ${state}: it did not stay up`);
    }
    const checks = [found?.SystemStatus?.Status, found?.InstanceStatus?.Status];
    if (state === 'running' && checks.every((check) => check === 'ok')) break;
    // `impaired` is not yet the end: a slow boot fails the reachability check for a while.
    await run.pause(
      POLL_MILLISECONDS,
      `instance ${id} is ${state}, system and instance check ${checks.join(', ')}`,
    );
  }
  if (port === undefined) return `instance ${id} runs and passes both status checks`;
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  const host = Reservations?.[0]?.Instances?.[0]?.PrivateIpAddress;
  if (!host) throw new ValidationFailure(`instance ${id} has no private address to reach port ${port} on`);
  while (!(await accepts(host, port))) {
    await run.pause(POLL_MILLISECONDS, `instance ${id} refuses port ${port} on ${host}`);
  }
  return `instance ${id} runs, passes both status checks and accepts connections on port ${port}`;
};

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5_000 });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

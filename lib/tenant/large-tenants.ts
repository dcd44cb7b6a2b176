import type { Size } from 'aws-cdk-lib';

/**
 * Tenants whose dump takes longer than the 15 minutes that Lambda gives: tasks of AWS Fargate work on them, with the same
 * image and for as long as it takes. The tasks run in the VPC of the tenant backups, which is needed, and in its private
 * subnets; from there they also have to reach ECR, by endpoints or a NAT gateway.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate.html
 */
export interface LargeTenants {
  /**
   * From which size on a tenant is worked on by a task from the beginning. What counts is what the server says the
   * database takes on its disk, with indexes. Whoever is smaller, or whose size the server does not tell, is begun by the
   * function, and begun again by a task when the function's time does not do.
   *
   * @default Size.gibibytes(10), or with several `dumps.jobs` what fits on the function's disk (`workerStorage`)
   */
  readonly threshold?: Size;

  /**
   * Processor time of a task, in CPU units: 1024 are one vCPU. A restore loads with as many sessions as there are vCPUs,
   * four at most.
   *
   * @default 2048
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
   */
  readonly cpu?: number;

  /**
   * Memory of a task in MiB, out of those that Fargate gives with `cpu`.
   *
   * @default 4096
   */
  readonly memoryLimitMiB?: number;

  /**
   * Disk of a task in GiB, from 21 to 200. Dumps by one session need none; by several (`dumps.jobs`) the size that the
   * tenant has on the server. A restore or a drill puts the dump there to load it in
   * several sessions at once; one that does not fit is loaded in one.
   *
   * @default 100
   */
  readonly ephemeralStorageGiB?: number;
}

/** Memory in MiB that Fargate gives with so many CPU units: from, to, in steps of. */
const MEMORY: Readonly<Record<number, readonly [number, number, number]>> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16384: [32_768, 122_880, 8192],
};

/** What Fargate would refuse when it is deployed, and at the latest when a task is to run. */
export function taskSizeProblems(cpu: number, memory: number, storage: number): string[] {
  const problems: string[] = [];
  const range = MEMORY[cpu];
  if (!range)
    problems.push(`largeTenants.cpu is ${cpu}: Fargate gives ${Object.keys(MEMORY).join(', ')} units`);
  else {
    const [from, to, step] = range;
    // With the smallest there is no third step.
    const given = memory >= from && memory <= to && memory % step === 0 && !(cpu === 256 && memory === 1536);
    if (!given)
      problems.push(
        `largeTenants.memoryLimitMiB is ${memory}: with ${cpu} CPU units, Fargate gives ${from} to ${to} MiB in steps of ${step}`,
      );
  }
  if (!Number.isInteger(storage) || storage < 21 || storage > 200)
    problems.push(
      `largeTenants.ephemeralStorageGiB is ${storage}: Fargate gives a whole number from 21 to 200`,
    );
  return problems;
}

import { InputError, OperationError } from '../../errors.js';

/** Hindrances of RDS that pass by themselves. */
export function mayPass(reason: string): boolean {
  return /maintenance window|while .*snapshot|snapshot (is )?(being|in progress)|currently being (backed up|snapshotted)|task .*already (exists|in progress)/i.test(
    reason,
  );
}

interface Advice {
  readonly shape: RegExp;
  readonly remedy: string;
  /** Trying again cannot help. */
  readonly input?: true;
}

const ADVICE: readonly Advice[] = [
  {
    shape: /there is not enough space|insufficient (disk|free) space|disk.*full|not enough (disk )?space/i,
    remedy: 'the server has no room for a second copy of the database: give it more storage',
  },
  {
    shape: /option (group|is not enabled)|SQLSERVER_BACKUP_RESTORE|IAM role ARN.*(missing|not)/i,
    remedy: 'the instance needs an option group with the option SQLSERVER_BACKUP_RESTORE and its role',
    input: true,
  },
  {
    shape: /access denied|forbidden|403|is not authorized|not able to assume/i,
    remedy:
      'the role of SQLSERVER_BACKUP_RESTORE, or the credential of the server, may not use the staging bucket or the key',
  },
  {
    shape: /different region|region.*(does not|mismatch)|PermanentRedirect|301/i,
    remedy: 'the staging bucket must be in the region of the server',
    input: true,
  },
  {
    shape: /KMS/i,
    remedy:
      "the role of SQLSERVER_BACKUP_RESTORE needs kms:DescribeKey, GenerateDataKey, Encrypt and Decrypt on the key, and the key's policy must allow it",
  },
  {
    shape:
      /cannot be restored because it was created by a later version|was backed up on a server running version/i,
    remedy: 'SQL Server restores to the same or a newer version only',
    input: true,
  },
  {
    shape: /certificate with thumbprint/i,
    remedy: 'the database was encrypted with TDE, and its certificate is not on this server',
    input: true,
  },
  {
    shape: /operating system error 5|operating system error 87|credential/i,
    remedy:
      "the server needs a credential for the bucket: CREATE CREDENTIAL [s3://…] WITH IDENTITY = 'S3 Access Key', SECRET = …",
  },
  {
    shape: /permission|not (able|allowed) to/i,
    remedy: 'give the login the rights that docs/engines.md lists',
  },
];

/** What the server said of a backup or restore, and what to do about it, in one sentence. */
export function explainTask(what: 'backup' | 'restore', said: string, number?: number): Error {
  const reason = said
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  // The procedures come with the option; without it they are not found.
  if (number === 2812)
    return new InputError(
      `the server has no ${what} procedure (${reason}): the instance needs an option group with the option SQLSERVER_BACKUP_RESTORE and its role`,
    );
  const found = ADVICE.find(({ shape }) => shape.test(reason));
  const untouched = what === 'restore' ? '; the live database was not touched' : '';
  const text = `the server could not ${what === 'backup' ? 'back up' : 'restore'}: ${reason}${found ? `; ${found.remedy}` : ''}${untouched}`;
  return found?.input ? new InputError(text) : new OperationError(text);
}

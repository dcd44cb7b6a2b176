// The settings of AWS Backup in an account: read, and switched on. Nothing here switches anything off.
import {
  BackupClient,
  DescribeGlobalSettingsCommand,
  DescribeRegionSettingsCommand,
  UpdateGlobalSettingsCommand,
  UpdateRegionSettingsCommand,
} from '@aws-sdk/client-backup';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { OperationError, reasonOf } from '../../lambda/errors.js';

export interface RegionSettings {
  readonly optIn: Readonly<Record<string, boolean>>;
  readonly advanced: Readonly<Record<string, boolean>>;
}

/** The account of the credentials at hand. */
export async function accountOf(region: string): Promise<string> {
  const client = new STSClient({ region, maxAttempts: 4 });
  const { Account } = await told('AWS STS', client.send(new GetCallerIdentityCommand({})));
  if (Account === undefined) throw new OperationError('AWS STS did not say which account this is');
  return Account;
}

export async function regionSettings(region: string): Promise<RegionSettings> {
  const client = new BackupClient({ region, maxAttempts: 4 });
  const answer = await told(`AWS Backup in ${region}`, client.send(new DescribeRegionSettingsCommand({})));
  return {
    optIn: answer.ResourceTypeOptInPreference ?? {},
    advanced: answer.ResourceTypeManagementPreference ?? {},
  };
}

/** With all that was on or off before: whether AWS keeps what a request leaves out is not documented. */
export async function switchOnInRegion(
  region: string,
  types: { readonly optIn: readonly string[]; readonly advanced: readonly string[] },
): Promise<void> {
  const client = new BackupClient({ region, maxAttempts: 4 });
  const { optIn, advanced } = await regionSettings(region);
  const on = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, true]));
  await told(
    `AWS Backup in ${region}`,
    client.send(
      new UpdateRegionSettingsCommand({
        ...(types.optIn.length > 0 ? { ResourceTypeOptInPreference: { ...optIn, ...on(types.optIn) } } : {}),
        ...(types.advanced.length > 0
          ? { ResourceTypeManagementPreference: { ...advanced, ...on(types.advanced) } }
          : {}),
      }),
    ),
  );
}

/** `{ isCrossAccountBackupEnabled: true }`. */
export async function organizationSettings(region: string): Promise<Readonly<Record<string, boolean>>> {
  const client = new BackupClient({ region, maxAttempts: 4 });
  const { GlobalSettings = {} } = await told(
    `AWS Backup in ${region}`,
    client.send(new DescribeGlobalSettingsCommand({})),
  );
  return Object.fromEntries(Object.entries(GlobalSettings).map(([name, value]) => [name, value === 'true']));
}

export async function switchOnInOrganization(region: string, settings: readonly string[]): Promise<void> {
  const client = new BackupClient({ region, maxAttempts: 4 });
  await told(
    'AWS Backup, which takes settings of the organization from its management account only,',
    client.send(
      new UpdateGlobalSettingsCommand({
        GlobalSettings: Object.fromEntries(settings.map((name) => [name, 'true'])),
      }),
    ),
  );
}

async function told<T>(who: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { name } = error as Error;
    if (name === 'CredentialsProviderError')
      throw new OperationError(
        `there are no AWS credentials: set AWS_PROFILE, or log in (${reasonOf(error)})`,
      );
    throw new OperationError(`${who} answered ${name}: ${reasonOf(error)}`);
  }
}

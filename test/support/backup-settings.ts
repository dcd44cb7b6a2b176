// A stand-in for the settings of AWS Backup, which moto does not have, and for the one call of STS that goes with them.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Settings {
  optIn: Record<string, boolean>;
  advanced: Record<string, boolean>;
}

export interface BackupSettings {
  /** What a process needs to talk to it and to nothing else. */
  readonly environment: Record<string, string>;
  /** By region, as AWS would have them. */
  readonly regions: Record<string, Settings>;
  organization: Record<string, string>;
  /** Bodies of the changes that were asked for, with their region. */
  readonly changes: { region: string; body: Record<string, Record<string, unknown>> }[];
  /** Whether a member account asks, which must not change the organization's. */
  member: boolean;
  /** Takes changes and forgets them. */
  forgetful: boolean;
  stop(): Promise<void>;
}

export async function startBackupSettings(account: string): Promise<BackupSettings> {
  const server = createServer((request, response) => {
    read(request).then((body) => {
      const [status, type, text] = answer(request, body);
      response.writeHead(status, { 'content-type': type }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const json = (status: number, value?: unknown): [number, string, string] => [
    status,
    'application/json',
    value === undefined ? '' : JSON.stringify(value),
  ];
  const fake: BackupSettings = {
    environment: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'not-a-secret',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
    regions: {},
    organization: {},
    changes: [],
    member: false,
    forgetful: false,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  function answer({ method, url, headers }: IncomingMessage, body: string): [number, string, string] {
    const region = /Credential=[^/]+\/\d+\/([a-z0-9-]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
    if (body.includes('Action=GetCallerIdentity'))
      return [
        200,
        'text/xml',
        `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
          `<Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      ];
    const change = method === 'PUT' ? JSON.parse(body) : undefined;
    if (url === '/global-settings') {
      if (!change) return json(200, { GlobalSettings: fake.organization });
      if (fake.member)
        return json(400, { __type: 'InvalidRequestException', Message: 'not a management account' });
      fake.changes.push({ region, body: change });
      if (!fake.forgetful) Object.assign(fake.organization, change.GlobalSettings);
      return json(200);
    }
    const settings = fake.regions[region];
    if (url !== '/account-settings' || settings === undefined)
      return json(400, { __type: 'AccessDeniedException', Message: `${method} ${url} in ${region}` });
    if (!change)
      return json(200, {
        ResourceTypeOptInPreference: settings.optIn,
        ResourceTypeManagementPreference: settings.advanced,
      });
    fake.changes.push({ region, body: change });
    // The strictest reading of the documentation: what a request leaves out is no longer there.
    if (!fake.forgetful) {
      settings.optIn = change.ResourceTypeOptInPreference ?? settings.optIn;
      settings.advanced = change.ResourceTypeManagementPreference ?? settings.advanced;
    }
    return json(200);
  }
  return fake;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

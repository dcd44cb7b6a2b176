// The lists that AWS Backup gives, which moto does not: filtered as the service does, two to a page.
import type { FakeAws } from '../drill/aws';

type Row = Record<string, unknown>;

export interface BackupLists {
  points: Row[];
  backupJobs: Row[];
  copyJobs: Row[];
  restoreJobs: Row[];
}

export function answerLists(fake: FakeAws): BackupLists {
  const lists: BackupLists = { points: [], backupJobs: [], copyJobs: [], restoreJobs: [] };
  fake.own = (url) => {
    const path = decodeURIComponent(url.pathname).replace(/\/$/, '');
    const [, vault] = /^\/backup-vaults\/([^/]+)\/recovery-points$/.exec(path) ?? [];
    const [, resource] = /^\/resources\/(.+)\/recovery-points$/.exec(path) ?? [];
    if (vault) return page(url, 'RecoveryPoints', lists.points, { BackupVaultName: vault });
    if (resource) return page(url, 'RecoveryPoints', lists.points, { ResourceArn: resource });
    if (path === '/backup-jobs') return page(url, 'BackupJobs', lists.backupJobs);
    if (path === '/copy-jobs') return page(url, 'CopyJobs', lists.copyJobs);
    if (path === '/restore-jobs') return page(url, 'RestoreJobs', lists.restoreJobs);
    return undefined;
  };
  return lists;
}

/** Query parameters, and what they ask of a row. */
const filters: Record<string, ((row: Row, value: string) => boolean) | undefined> = {
  state: (row, value) => row.State === value,
  status: (row, value) => row.Status === value,
  backupVaultName: (row, value) => row.BackupVaultName === value,
  destinationVaultArn: (row, value) => row.DestinationBackupVaultArn === value,
  restoreTestingPlanArn: (row, value) => row.plan === value,
  createdBefore: (row, value) => (row.CreationDate as number) * 1000 < Date.parse(value),
  createdAfter: (row, value) => (row.CreationDate as number) * 1000 > Date.parse(value),
  completeAfter: (row, value) => (row.CompletionDate as number) * 1000 > Date.parse(value),
};

function page(url: URL, name: string, rows: Row[], is: Row = {}) {
  let left = rows.filter((row) => Object.entries(is).every(([key, value]) => row[key] === value));
  let from = 0;
  for (const [parameter, value] of url.searchParams) {
    const keep = filters[parameter];
    if (keep) left = left.filter((row) => keep(row, value));
    else if (parameter === 'nextToken') from = Number(value);
    else throw new Error(`the stand-in does not know the parameter ${parameter}`);
  }
  return {
    [name]: left.slice(from, from + 2),
    ...(left.length > from + 2 ? { NextToken: `${from + 2}` } : {}),
  };
}

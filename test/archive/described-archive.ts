let made = 0;

/** The files of an archive as a dump of so many days ago would name and describe it; its data is `abc`. */
export function archiveOf(tenant: string, daysAgo: number, dataBytes = 3, says = {}) {
  const at = new Date(Date.now() - daysAgo * 86_400_000);
  made += 1;
  const archive = `${at.toISOString().replace(/[-:]/g, '')}-${made.toString(16).padStart(8, '0')}`;
  const manifest = {
    schemaVersion: 1,
    archive,
    tenant,
    regime: 'local',
    database: tenant,
    at: at.toISOString(),
    seconds: 1,
    engine: { name: 'postgresql', roles: [] },
    dump: { bytes: 1 },
    compressed: { bytes: 1 },
    // Of `abc`.
    data: {
      bytes: dataBytes,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    },
    key: { id: 'raw:x' },
    tables: [],
    omitted: [],
    tenancy: 'database',
    ...says,
  };
  return { archive, files: { data: 'abc', 'manifest.seal': 's', 'manifest.json': JSON.stringify(manifest) } };
}

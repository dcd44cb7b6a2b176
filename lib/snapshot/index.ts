export * from './cache-snapshots';
export * from './instance-snapshots';
export * from './instance-snapshots-props';
export * from './recycle-bin';
export * from './snapshot-script';

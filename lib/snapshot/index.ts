export * from './instance-snapshots';
export * from './recycle-bin';

export * from './instance-snapshots';

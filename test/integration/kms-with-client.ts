export { buildClient, CommitmentPolicy } from '@aws-crypto/client-node';
export { kmsKey } from '../../lambda/archive/kms-key';

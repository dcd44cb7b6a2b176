export * from './privacy-regime';
export * from './transfer-exception';

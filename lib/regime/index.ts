export { PrivacyRegime } from './privacy-regime';

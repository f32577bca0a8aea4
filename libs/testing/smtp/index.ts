export { BareSmtpServer } from './bare-smtp-server.js';
export type { Behaviour } from './script.js';
export { SmtpDouble, type SmtpDoubleOptions, type TakenMail } from './smtp-double.js';
export { testOnlyCertificate, testOnlyKey } from './test-only-certificate.js';

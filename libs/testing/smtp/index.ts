export type { Behaviour } from './script.js';
export { SmtpDouble, type SmtpDoubleOptions, type TakenMail } from './smtp-double.js';

export { exchangeReport } from './exchange.js';
export { eximReport } from './exim.js';
export { gmailReport } from './gmail.js';
export { postfixReport } from './postfix.js';
export { mailOf, type ReportGiven } from './report.js';

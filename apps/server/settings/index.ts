export type { Mailbox, SmtpServer } from './parse.js';
export { configurationError, readSettings, type SettingsReading } from './read-settings.js';
export type { LogLevelSetting, Role, Settings } from './table.js';

/** Slack's errors that pass by themselves; every other one stays until somebody changes something. */
export const transientCodes: ReadonlySet<string> = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
  'org_login_required',
  'external_channel_migrating',
]);

/** Errors of which Slack says that some of the work may have been done before. */
export const doubtfulCodes: ReadonlySet<string> = new Set(['internal_error', 'fatal_error']);

/** Errors of the token or of what it may do. */
export const authenticationCodes: ReadonlySet<string> = new Set([
  'not_authed',
  'invalid_auth',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'missing_scope',
  'no_permission',
  'not_allowed_token_type',
  'access_denied',
  'accesslimited',
  'org_login_required',
  'ekm_access_denied',
  'two_factor_setup_required',
  'team_access_not_granted',
]);

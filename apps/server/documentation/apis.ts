import { auditApi } from '#libs/audit';
import { broadcastApi } from '#libs/broadcast';
import { emailApi } from '#libs/channel/email';
import { slackApi } from '#libs/channel/slack';
import { groupApi } from '#libs/group';
import { healthApi, type ApiDescription } from '#libs/http';
import { listApi, notificationApi } from '#libs/notification';
import { operatorApi } from '#libs/operator';
import { recipientApi } from '#libs/recipient';
import { uploadApi } from '#libs/upload';
import { documentationApi } from './openapi.js';

/** What the server offers over HTTP, in the order in which the documents show it. */
export const apis: readonly ApiDescription[] = [
  notificationApi,
  listApi,
  broadcastApi,
  recipientApi,
  groupApi,
  uploadApi,
  emailApi,
  slackApi,
  auditApi,
  operatorApi,
  healthApi,
  documentationApi,
];

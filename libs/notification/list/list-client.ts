import { recipientEvents } from '#libs/recipient';
import { defineClient } from '#libs/runtime';
import { notificationViews } from '../view/notification-view.js';

/** Follows what the lists are made from, and reads the views that they show. */
export const notificationListClient = defineClient({
  name: 'notification.list-client',
  looksUp: [notificationViews, recipientEvents],
  writes: [],
});

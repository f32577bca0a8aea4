import type { RecordView } from '#libs/http';
import type { ContentView, NotificationView } from '#libs/notification';
import type { ConsumerView, ParkedDetail, ParkedPage, StatsView, TopologyView } from '#libs/operator';
import type { RecipientView } from '#libs/recipient';
import { pathOf } from './client.js';
import { useLive, useOnce } from './live.js';

export interface List<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** What is looked for in the list of notifications; empty: anything. */
export interface NotificationSearch {
  readonly address: string;
  readonly recipientId: string;
  /** `name:value` */
  readonly tag: string;
  readonly category: string;
  readonly status: string;
  readonly channel: string;
}

const perPage = 50;

export const useStats = () => useLive<StatsView>('/v1/stats');
export const useStreams = () => useLive<TopologyView>('/v1/streams');
export const useConsumers = () => useLive<{ readonly items: readonly ConsumerView[] }>('/v1/consumers');

export function useNotifications(search: Partial<NotificationSearch>, cursor?: string, limit = perPage) {
  return useLive<List<NotificationView>>(pathOf('/v1/notifications', { ...search, limit, cursor }));
}

export const notificationPath = (id: string): string => `/v1/notifications/${encodeURIComponent(id)}`;

/** @param asOf position of the record up to which it is shown; undefined: as it is now */
export function useNotification(id: string, asOf?: string) {
  const path = pathOf(notificationPath(id), { asOf });
  return useLive<NotificationView>(path, { changes: () => asOf === undefined });
}

export function useRecords(id: string) {
  return useLive<Pick<List<RecordView>, 'items'>>(`${notificationPath(id)}/events`);
}

export const useContent = (id: string) => useOnce<ContentView>(`${notificationPath(id)}/content`);

/** @param parameters of `GET /v1/parked` */
export function useParked(parameters: Readonly<Record<string, string | undefined>>) {
  return useLive<ParkedPage>(pathOf('/v1/parked', { limit: perPage, ...parameters }));
}

export const useParkedDetail = (id: string) => useOnce<ParkedDetail>(`/v1/parked/${encodeURIComponent(id)}`);

export function useRecipient(id: string) {
  return useLive<RecipientView>(`/v1/recipients/${encodeURIComponent(id)}`);
}

import { StoreUnusable } from '#libs/store/port';
import {
  MalformedRedisUrl,
  openRedisKeyInventory,
  openSqliteKeyInventory,
  parseRedisUrl,
  transferKeys,
  type KeyInventory,
  type TransferredKeys,
} from '#libs/vault';
import { CommandFailed, exitCodes } from '../exit-codes.js';
import { certificatesIn, placeOf, urlOf } from '../places.js';
import { openInDirectory, type Opened } from './data-directory.js';
import { betweenPlaces, refuseSame, type Copied, type CopyRequest } from './between-places.js';

/** @param ca file of certificates (PEM) to trust, for Redis. @throws CommandFailed */
export async function copySecrets(
  request: CopyRequest,
  ca: string | undefined,
  progress: (text: string) => void,
): Promise<Copied<TransferredKeys>> {
  refuseSame(request);
  return betweenPlaces(
    request,
    (option, text) => openKeys(option, text, ca),
    (source, target) => transferKeys(source, target, (phase, entries) => progress(`${phase}: ${entries} keys`)),
  );
}

async function openKeys(option: 'from' | 'to', text: string, ca: string | undefined): Promise<Opened<KeyInventory>> {
  const place = placeOf(option, text);
  if (/^rediss?(\+sentinel)?:/.test(place)) return openRedis(option, place, ca);
  const needed = option === 'from' ? 'keys.db' : undefined;
  return openInDirectory(option, place, 'a redis:// URL', needed, openSqliteKeyInventory, (store) => store.close());
}

async function openRedis(option: string, url: string, ca: string | undefined): Promise<Opened<KeyInventory>> {
  const connection = urlOf(option, url, parseRedisUrl, MalformedRedisUrl);
  try {
    const certificates = ca !== undefined && connection.tls ? certificatesIn(ca) : undefined;
    const store = await openRedisKeyInventory({ connection, ca: certificates });
    return { name: store.name, store, close: () => store.close() };
  } catch (error) {
    if (!(error instanceof StoreUnusable)) throw error;
    throw new CommandFailed(exitCodes.refused, error.message);
  }
}

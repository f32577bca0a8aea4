import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isLoopback } from './parse.js';
import { roles, type Settings } from './table.js';

/** What settings say that cannot be true together. */
export function contradictions(settings: Settings): string[] {
  return [
    ...ofHost(settings),
    ...ofEventStore(settings),
    ...ofSharedStores(settings),
    ...ofBounces(settings),
    ...ofFacade(settings),
  ];
}

function ofHost({ host, apiKeysFile }: Settings): string[] {
  if (isLoopback(host) || apiKeysFile !== undefined) return [];
  return ['HOST must be a loopback address (127.0.0.1, ::1, localhost) unless TIDINGS_API_KEYS_FILE is set'];
}

function ofBounces({ bounceAddress, bounceListen }: Settings): string[] {
  if (bounceListen === undefined || bounceAddress !== undefined) return [];
  return ['TIDINGS_BOUNCE_LISTEN needs TIDINGS_BOUNCE_ADDRESS: it takes mail to that address only'];
}

function ofEventStore({ eventStore, eventStoreCa, partitions }: Settings): string[] {
  const found: string[] = [];
  if (eventStoreCa !== undefined && !eventStore?.connection.tls) {
    found.push('TIDINGS_EVENTSTORE_CA needs a TIDINGS_EVENTSTORE_URL with TLS');
  }
  if (partitions !== undefined && eventStore === undefined) {
    found.push('TIDINGS_PARTITIONS needs a TIDINGS_EVENTSTORE_URL: only one process can use the embedded store');
  }
  return found;
}

function ofSharedStores({ eventStore, keys, keysCa, blobs, roles: own }: Settings): string[] {
  const found: string[] = [];
  if (keysCa !== undefined && !keys?.tls) found.push('TIDINGS_KEYS_CA needs a TIDINGS_KEYS_URL with TLS');
  const hasOthers = eventStore !== undefined && !roles.every((role) => own.includes(role));
  if (hasOthers && (keys === undefined || blobs === undefined)) {
    found.push(
      'TIDINGS_ROLES leaves roles to other processes, which cannot use what is in the data folder of this one: ' +
        'TIDINGS_KEYS_URL and TIDINGS_BLOBS_URL must be set',
    );
  }
  return found;
}

function ofFacade(settings: Settings): string[] {
  const {
    facade,
    facadeCertificate: certificate,
    facadeKey: key,
    facadeUser: user,
    facadePassword: password,
  } = settings;
  if (facade === undefined) return [];
  const found: string[] = [];
  const hasTls = certificate !== undefined && key !== undefined;
  if ((certificate === undefined) !== (key === undefined)) {
    found.push('TIDINGS_FACADE_TLS_CERT and TIDINGS_FACADE_TLS_KEY must both be set or neither');
  }
  if (hasTls && !new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
    found.push('TIDINGS_FACADE_TLS_KEY must be the key of the certificate in TIDINGS_FACADE_TLS_CERT');
  }
  if ((user === undefined) !== (password === undefined)) {
    found.push('TIDINGS_FACADE_USER and TIDINGS_FACADE_PASSWORD must both be set or neither');
  }
  if (user !== undefined && !hasTls) {
    found.push('TIDINGS_FACADE_USER needs TIDINGS_FACADE_TLS_CERT: clients send no credentials without TLS');
  }
  if (!isLoopback(facade.host) && !(hasTls && user !== undefined)) {
    found.push('TIDINGS_FACADE must be a loopback address unless there are a certificate and a user');
  }
  if (settings.eventStore !== undefined) {
    found.push('TIDINGS_FACADE is for the store in the data folder: with EventStoreDB, its clients go there');
  }
  return found;
}

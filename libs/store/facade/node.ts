import { randomUUID } from 'node:crypto';
import type { handleUnaryCall } from '@grpc/grpc-js';
import gossipMessages from '@eventstore/db-client/generated/gossip_pb.js';
import featuresMessages from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js';
import { uuidMessage } from './messages.js';

/** Clients choose what they call by it; what is spoken here is the protocol of this version. */
const serverVersion = '23.10.0';
const readMethods = ['read'];
const writeMethods = ['append', 'batchappend', 'delete', 'tombstone'];

/** ServerFeatures.GetSupportedMethods. */
export function supportedMethodsHandler(writable: boolean): handleUnaryCall<Empty, SupportedMethods> {
  const methods = writable ? [...readMethods, ...writeMethods] : readMethods;
  const supported = new featuresMessages.SupportedMethods().setEventStoreServerVersion(serverVersion).setMethodsList(
    methods.map((name) => {
      const method = new featuresMessages.SupportedMethod()
        .setServiceName('event_store.client.streams.streams')
        .setMethodName(name);
      return name === 'read' ? method.setFeaturesList(['position', 'events']) : method;
    }),
  );
  return (_, callback) => callback(null, supported);
}

/** Gossip.Read: a cluster of one, which is where the client found it. */
export function gossipHandler(port: () => number): handleUnaryCall<Empty, ClusterInfo> {
  const instanceId = randomUUID();
  return (call, callback) => {
    const { hostname, port: ownPort } = new URL(`http://${call.getHost()}`);
    const member = new gossipMessages.MemberInfo()
      .setInstanceId(uuidMessage(instanceId, 'string'))
      .setTimeStamp(String(Date.now()))
      .setState(gossipMessages.MemberInfo.VNodeState.LEADER)
      .setIsAlive(true)
      .setHttpEndPoint(
        new gossipMessages.EndPoint().setAddress(hostname).setPort(ownPort === '' ? port() : Number(ownPort)),
      );
    callback(null, new gossipMessages.ClusterInfo().setMembersList([member]));
  };
}

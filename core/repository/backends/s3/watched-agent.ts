import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ConnectionWatch, type LeastPace } from '../connection-watch.ts';

const watches = new WeakMap<Duplex, ConnectionWatch>();

/** Watches the connection while a request is on it. */
function begin(socket: Duplex, pace: LeastPace | undefined): void {
  let watch = watches.get(socket);
  if (watch === undefined) {
    watch = new ConnectionWatch(socket as Socket, pace);
    watches.set(socket, watch);
  }
  watch.begin();
}

/** Connections that are kept for the next request, and ended when they carry next to nothing while one is on them. */
export function watchedAgents(options: AgentOptions, pace?: LeastPace): { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent } {
  const [httpAgent, httpsAgent] = [new HttpAgent(options), new HttpsAgent(options)];
  for (const agent of [httpAgent, httpsAgent]) {
    const { createConnection, reuseSocket, keepSocketAlive } = agent;
    agent.createConnection = (...args) => {
      const socket = createConnection.apply(agent, args);
      if (socket !== undefined && socket !== null) begin(socket, pace);
      return socket;
    };
    agent.reuseSocket = (socket, request) => {
      begin(socket, pace);
      reuseSocket.call(agent, socket, request);
    };
    agent.keepSocketAlive = (socket) => {
      watches.get(socket)?.rest();
      return keepSocketAlive.call(agent, socket);
    };
  }
  return { httpAgent, httpsAgent };
}

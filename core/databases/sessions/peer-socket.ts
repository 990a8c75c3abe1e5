import { Socket } from 'node:net';
import { connectAs, type SystemUser } from '../../linux/connect-as.ts';

/** A socket that is connected to a server as a user of the system; what asks it to connect hears of that at once. */
export class PeerSocket extends Socket {
  constructor(path: string, user: SystemUser) {
    super({ fd: connectAs(path, user), readable: true, writable: true });
  }

  override connect(): this {
    process.nextTick(() => this.emit('connect'));
    return this;
  }
}

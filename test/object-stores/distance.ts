import type { Socket } from 'node:net';

/** On the way at most, in bytes and each direction: more than a line of 100 Mbit/s holds in the time, as the windows of TCP are. */
const ON_THE_WAY = 8 * 1024 * 1024;

/** What sees each piece as it arrives, before it goes on; false: it does not, and the connection is no more to be passed. */
export type Look = (piece: Buffer) => boolean;

/**
 * Hands on what comes on one socket to another, each piece so many milliseconds after it came: later, and not slower. `first` is how much longer the first
 * one takes. Ends the other socket when the one has ended.
 */
export function passLater(from: Socket, to: Socket, delay: number, first: number, look: Look = () => true): void {
  const onTheWay: { readonly due: number; readonly piece: Buffer | undefined }[] = [];
  let bytes = 0;
  let held = first;
  let timer: NodeJS.Timeout | undefined;
  let isFull = false;
  const go = (): void => {
    timer = undefined;
    while (onTheWay.length > 0 && !isFull && !to.destroyed) {
      const { due, piece } = onTheWay[0] as { due: number; piece: Buffer | undefined };
      const left = due - performance.now();
      if (left > 0) {
        timer = setTimeout(go, left);
        return;
      }
      onTheWay.shift();
      if (piece === undefined) return void to.end();
      bytes -= piece.length;
      if (bytes < ON_THE_WAY) from.resume();
      isFull = !to.write(piece);
    }
  };
  const add = (piece: Buffer | undefined): void => {
    onTheWay.push({ due: performance.now() + delay + held, piece });
    held = 0;
    if (timer === undefined && !isFull) go();
  };
  to.on('drain', () => {
    isFull = false;
    if (timer === undefined) go();
  });
  from.on('data', (piece: Buffer) => {
    if (!look(piece)) return;
    bytes += piece.length;
    if (bytes >= ON_THE_WAY) from.pause();
    add(piece);
  });
  from.on('end', () => add(undefined));
  from.on('close', () => {
    if (from.errored) to.destroy();
  });
  to.on('close', () => clearTimeout(timer));
}

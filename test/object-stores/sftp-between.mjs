/**
 * Stands between OpenSSH's server and its `sftp-server`, as a subsystem: once, at the request that a file of orders names, it ends, says nothing any more,
 * gives a byte a second, or lets later answers overtake earlier ones. `node sftp-between.mjs ORDERS`
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

// draft-ietf-secsh-filexfer-02, section 3; extended requests by their names.
const TYPES = { init: 1, open: 3, close: 4, read: 5, write: 6, lstat: 7, opendir: 11, readdir: 12, remove: 13, mkdir: 14, rename: 18 };
const EXTENDED = 200;

const [orders] = process.argv.slice(2);
const server = spawn('/usr/lib/openssh/sftp-server', [], { stdio: ['pipe', 'pipe', 'inherit'] });
server.on('exit', () => process.exit(0));
process.stdin.on('end', () => server.stdin.end());

/** What is to be done, as it stands there now; a new file is a new order. */
function order() {
  try {
    return JSON.parse(readFileSync(orders, 'utf8'));
  } catch {
    return undefined;
  }
}

function fits(packet, { at }) {
  if (packet[4] === EXTENDED) return packet.toString('latin1', 13, 13 + packet.readUInt32BE(9)).startsWith(at);
  return packet[4] === TYPES[at];
}

/** Hands each whole packet of a stream to `take`. */
function packets(stream, take) {
  let rest = Buffer.alloc(0);
  stream.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      take(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
}

let trouble;
let awaited;
const kept = [];

function begin(kind) {
  rmSync(orders, { force: true });
  trouble = kind;
  if (kind === 'reset') {
    server.kill('SIGKILL');
    process.exit(1);
  }
}

packets(process.stdin, (packet) => {
  if (trouble === 'stall') return;
  const found = trouble === undefined && awaited === undefined ? order() : undefined;
  if (found !== undefined && fits(packet, found)) {
    if (found.kind === 'reorder') begin('reorder');
    else if (found.lost === 'request') begin(found.kind);
    else awaited = { id: packet.readUInt32BE(5), kind: found.kind };
    if (found.kind !== 'reorder' && found.lost === 'request') return;
  }
  server.stdin.write(packet);
});

function flushKept() {
  for (const packet of kept.splice(0).reverse()) process.stdout.write(packet);
}

packets(server.stdout, (packet) => {
  if (awaited !== undefined && packet.readUInt32BE(5) === awaited.id) begin(awaited.kind);
  if (trouble === 'stall') return;
  if (trouble === 'drip') {
    let at = 0;
    setInterval(() => process.stdout.write(packet.subarray(at, ++at)), 1000);
    trouble = 'stall';
    return;
  }
  if (trouble !== 'reorder') return void process.stdout.write(packet);
  kept.push(Buffer.from(packet));
  if (kept.length === 1) setTimeout(flushKept, 5);
});

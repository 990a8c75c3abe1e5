import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { connectAs } from '../../core/linux/connect-as.ts';
import { ROOT } from '../program.ts';

const NOBODY = { uid: 65534, gid: 65534 };

/** What a process is before and after it connected as another, whose parent's end is its own. */
const SCRIPT = (socket: string) => `
  import { readFileSync } from 'node:fs';
  import { connectAs } from '${ROOT}/core/linux/connect-as.ts';
  import { libc } from '${ROOT}/core/linux/libc.ts';
  import { endWithParent } from '${ROOT}/core/linux/parent-death.ts';
  import { limitRights } from '${ROOT}/core/linux/process-rights.ts';
  limitRights();
  endWithParent(process.ppid);
  const state = () => {
    const signal = new Int32Array(1);
    libc.prctlGet(2, signal);
    return { signal: signal[0], status: readFileSync('/proc/thread-self/status', 'utf8').match(/^(?:Uid|Gid|Cap\\w+):.*$/gm) };
  };
  const before = state();
  connectAs('${socket}', { uid: 65534, gid: 65534 });
  console.log(JSON.stringify([before, state()]));
`;

describe('a connection as another user', () => {
  const folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
  const socket = join(folder, 'socket');
  let server: Server;

  before(async () => {
    server = createServer((connection) => connection.end());
    await new Promise<void>((resolve) => void server.listen(socket, resolve));
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('is refused where that one may not go, and leaves who the thread is as it was', () => {
    expect(() => connectAs(socket, NOBODY)).to.throw(/EACCES/);
    expect(process.geteuid?.()).to.equal(0);
    expect(() => connectAs(join(folder, 'none'), { uid: 0, gid: 0 })).to.throw(/ENOENT/);
    expect(() => connectAs(`/${'x'.repeat(200)}`, NOBODY)).to.throw(/ENAMETOOLONG/);
  });

  it('takes no right from the thread, and not the end with its parent', async () => {
    const open = join(tmpdir(), `apiscp-backup-socket-${process.pid}`);
    const other = createServer((connection) => connection.end());
    await new Promise<void>((resolve) => void other.listen({ path: open, writableAll: true }, resolve));
    try {
      const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', SCRIPT(open)]);
      const [before, now] = JSON.parse(stdout);
      expect(before.signal).to.equal(9);
      expect(now).to.deep.equal(before);
    } finally {
      other.close();
    }
  });
});

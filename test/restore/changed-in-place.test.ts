import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, lstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { libc } from '../../core/linux/libc.ts';
import { changeAttributes } from '../../core/restore/write/attributes.ts';
import { sampleEntry } from './sample-snapshot.ts';

const ALICE = 2001;

describe('an entry that is changed in place', () => {
  let work: string;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore-in-place-'));
  });

  afterEach(() => rmSync(work, { recursive: true, force: true }));

  it('loses the access list that is not in the snapshot before its mode lets in whom that names', () => {
    const file = join(work, 'secret');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    execFileSync('setfacl', ['-m', `u:${ALICE}:rw,m::-`, file]);
    const descriptor = openSync(file, 'r');
    const seen: string[] = [];
    const { fchmod } = libc;
    // What a tenant would meet in the moment after each change of the mode.
    const watched = Object.assign(libc, {
      fchmod: (...args: Parameters<typeof fchmod>) => {
        const result = fchmod(...args);
        seen.push(execFileSync('getfacl', ['-c', '-p', '-e', '-n', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
        return result;
      },
    });
    try {
      const entry = sampleEntry('secret', { mode: 0o660 });
      changeAttributes(descriptor, entry, { overlay: false, owner: undefined }, (what, reason) => {
        throw new Error(`${what}: ${reason}`);
      });
    } finally {
      Object.assign(watched, { fchmod });
      closeSync(descriptor);
    }
    expect(lstatSync(file).mode & 0o777).to.equal(0o660);
    expect(seen.length).to.be.greaterThan(0);
    for (const text of seen)
      expect(text)
        .not.to.match(new RegExp(`user:${ALICE}:\\S+\\s+#effective:r`))
        .and.not.to.match(new RegExp(`user:${ALICE}:rw-$`, 'm'));
  });
});

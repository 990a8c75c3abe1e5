import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { storedBytes } from '../../bench/stored.ts';
import { KEPT_FILE } from '../../bench/tree/account.ts';
import { changeForADay } from '../../bench/tree/day.ts';
import { changeDumpTree, DUMP_FILES, makeDumpTree } from '../../bench/tree/dump.ts';
import { makeHostingTree, type TreePlan } from '../../bench/tree/hosting-tree.ts';
import { KeptTree } from '../../bench/tree/kept-tree.ts';
import { Text } from '../../bench/tree/text.ts';
import { makeTinyTree } from '../../bench/tree/tiny-tree.ts';
import { closeDescriptor, openHandleAt, openTrustedDirectory } from '../../core/linux/files.ts';
import { StatBuffer, statDescriptor } from '../../core/linux/stat.ts';
import { readXattrs } from '../../core/linux/xattrs.ts';

const PLAN: TreePlan = { seed: 'test', accounts: 2, filesPerAccount: 400, contents: 'mixed' };

/**
 * Every entry with all that a generator decides: all properties, and the digest of the content. A day leaves directories' times to the
 * clock.
 */
function describeTree(root: string, directoryTimes: 'with' | 'without' = 'with'): Map<string, string> {
  const status = new StatBuffer();
  const described = new Map<string, string>();
  const visit = (path: string): void => {
    const folder = openTrustedDirectory(join(root, path));
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const child = join(path, entry.name);
      const descriptor = openHandleAt(folder, entry.name);
      statDescriptor(descriptor, status);
      const { kind, mode, uid, gid, linkCount } = status;
      const time = entry.isDirectory() && directoryTimes === 'without' ? '' : status.mtime;
      const xattrs = readXattrs(descriptor).map(({ name, value }) => `${name}=${value.toString('hex')}`);
      closeDescriptor(descriptor);
      const content = entry.isFile()
        ? createHash('sha256')
            .update(readFileSync(join(root, child)))
            .digest('hex')
        : '';
      const target = entry.isSymbolicLink() ? readlinkSync(join(root, child)) : '';
      described.set(child, [kind, mode, uid, gid, time, linkCount, xattrs, content, target].join(' '));
      if (entry.isDirectory()) visit(child);
    }
    closeDescriptor(folder);
  };
  visit('');
  return described;
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path));
}

describe('bench trees', () => {
  const text = new Text(1024 * 1024);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bench-tree-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function makeTwo(make: (root: string) => void): [string, string] {
    const roots: [string, string] = [join(folder, 'a'), join(folder, 'b')];
    for (const root of roots) make(root);
    return roots;
  }

  it('are the same each time, in every property', () => {
    const [first, second] = makeTwo((root) => makeHostingTree(root, PLAN, text)).map((root) => describeTree(root));
    expect(differences(first!, second!)).to.deep.equal([]);
    expect(first!.size).to.be.greaterThan(800);
  });

  it('differ with the seed', () => {
    makeHostingTree(join(folder, 'a'), PLAN, text);
    makeHostingTree(join(folder, 'b'), { ...PLAN, seed: 'other' }, text);
    expect(differences(describeTree(join(folder, 'a')), describeTree(join(folder, 'b')))).to.not.deep.equal([]);
  });

  it('hold what accounts hold: ACLs, attributes, whiteouts, opaque directories, links', () => {
    makeHostingTree(folder, PLAN, text);
    const all = [...describeTree(folder).values()];
    const holding = (part: string) => all.filter((entry) => entry.includes(part)).length;
    expect(holding('system.posix_acl_access=') / all.length).to.be.within(0.1, 0.3);
    expect(holding('system.posix_acl_default=')).to.be.greaterThan(0);
    expect(holding('user.checksum=')).to.be.greaterThan(0);
    expect(holding('trusted.overlay.opaque=79')).to.equal(2);
    expect(holding('character-device')).to.equal(2);
    expect(holding('../../../../')).to.equal(2);
  });

  it('let a day pass in the same way, change about its share, and keep one file as it is', () => {
    const roots = makeTwo((root) => makeHostingTree(root, PLAN, text));
    const before = describeTree(roots[0]);
    const day = { seed: 'test', number: 1, changedShare: 0.05 };
    const written = roots.map((root) => changeForADay(root, day, text));
    const [first, second] = roots.map((root) => describeTree(root, 'without'));
    expect(differences(first!, second!)).to.deep.equal([]);
    expect(written[0]).to.deep.equal(written[1]);
    for (const path of written[0]!) expect(first!.get(path), path).to.not.equal(before.get(path));
    expect(written[0]!.length / before.size).to.be.within(0.05, 0.1);
    for (const site of ['site1', 'site2']) expect(first!.get(`${site}/${KEPT_FILE}`)).to.equal(before.get(`${site}/${KEPT_FILE}`));
  });

  it('change one stretch of an export and let the log grow', () => {
    const length = 1024 * 1024;
    const roots = makeTwo((root) => makeDumpTree(root, { seed: 'test', length }));
    const [dump, log] = DUMP_FILES.map((path) => join(roots[0], 'site1', path)) as [string, string];
    const [dumpBefore, logBefore] = [readFileSync(dump), readFileSync(log)];
    for (const root of roots) changeDumpTree(root, { seed: 'test', number: 1 });
    expect(differences(describeTree(roots[0]), describeTree(roots[1]))).to.deep.equal([]);
    const dumpAfter = readFileSync(dump);
    const changed = [...dumpAfter.keys()].filter((at) => dumpAfter[at] !== dumpBefore[at]);
    expect(dumpAfter.length).to.equal(length);
    expect(changed.at(-1)! - changed[0]!).to.be.within(length / 120, length / 90);
    const logAfter = readFileSync(log);
    expect(logAfter.subarray(0, logBefore.length).equals(logBefore)).to.equal(true);
    expect(logAfter.length / logBefore.length).to.be.within(1.04, 1.06);
  });

  it('have as many entries as asked for, most of them empty', () => {
    makeTinyTree(folder, { seed: 'test', files: 1000, filledShare: 0.1 }, text);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files).to.have.length(1000);
    expect(storedBytes(folder)).to.be.within(10_000, 50_000);
  });

  it('are kept for the next run of the same plan, and made again for another', () => {
    let made = 0;
    const open = (plan: object) =>
      new KeptTree(join(folder, 'kept'), plan, (root) => makeTinyTree(root, { seed: `${++made}`, files: 3, filledShare: 1 }, text));
    open({ files: 3 }).nextDay((_, day) => expect(day).to.equal(1));
    expect(open({ files: 3 }).day).to.equal(1);
    expect(made).to.equal(1);
    expect(open({ files: 4 }).day).to.equal(0);
    expect(made).to.equal(2);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { ExcludePatterns } from '../../core/exclude/exclude-patterns.ts';
import { compileGlob } from '../../core/exclude/glob.ts';
import { Failure } from '../../core/failure.ts';

function excluded(patterns: string[], path: string, isDirectory = false): boolean {
  return !new ExcludePatterns(patterns).explain(path, isDirectory).included;
}

/** Asks as a walk does: each directory on the way, then the name in the last one. */
function walked(patterns: ExcludePatterns, path: string, isDirectory: boolean): boolean {
  const components = path.split('/');
  return components.some((name, depth) => {
    const leavesOut = patterns.inDirectory(components.slice(0, depth).join('/'));
    return leavesOut?.(name, depth < components.length - 1 || isDirectory) === true;
  });
}

/** The slow obvious way for one name: every way to divide it. */
function globFits(glob: string, name: string): boolean {
  if (glob === '') return name === '';
  if (glob.startsWith('*')) return globFits(glob.slice(1), name) || (name !== '' && globFits(glob, name.slice(1)));
  return name !== '' && (glob.startsWith('?') || glob[0] === name[0]) && globFits(glob.slice(1), name.slice(1));
}

describe('a glob for one name', () => {
  it('agrees with trying out every way to divide the name', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '?', '*'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(glob, name, (pattern, text) => {
        expect(compileGlob(pattern)(text)).to.equal(globFits(pattern, text));
      }),
      { numRuns: 3000 },
    );
  });

  it('understands sets of bytes', () => {
    const cases: [string, string, string][] = [
      ['[abc]', 'abc', 'd['],
      ['[a-c]', 'abc', 'd-'],
      ['[!a-c]', 'dz\xff', 'abc'],
      ['[^a]', 'b^', 'a'],
      ['[]a]', ']a', 'b'],
      ['[!]a]', 'b', ']a'],
      ['[a-]', 'a-', 'b'],
      ['[\\]\\-x]', ']-x', '\\a'],
      ['[\x80-\xff]', '\x80\xff', '\x7f'],
      ['\\*', '*', 'a'],
      ['?', 'a\xe9', ''],
    ];
    for (const [glob, yes, no] of cases) {
      for (const byte of yes) expect(compileGlob(glob)(byte), `${glob} ${byte}`).to.equal(true);
      for (const byte of no) expect(compileGlob(glob)(byte), `${glob} ${byte}`).to.equal(false);
    }
  });

  it('does not go astray on a glob made to need a lifetime', () => {
    const name = 'a'.repeat(255);
    for (let i = 0; i < 100; i++) expect(compileGlob(`${'*a'.repeat(100)}*b`)(name)).to.equal(false);
    expect(compileGlob(`${'*a'.repeat(200)}*`)(name)).to.equal(true);
    const deep = Array.from({ length: 200 }, () => 'a').join('/');
    expect(excluded([`${'**/a/'.repeat(60)}b`], deep)).to.equal(false);
    expect(excluded([`${'**/a/'.repeat(60)}a`], deep)).to.equal(true);
  });
});

describe('exclude patterns', () => {
  it('fit at any depth without a slash, and from the top with one', () => {
    expect(excluded(['*.log'], 'shadow/var/x.log')).to.equal(true);
    expect(excluded(['*.log'], 'shadow/var/x.logs')).to.equal(false);
    expect(excluded(['/cache'], 'shadow/cache')).to.equal(false);
    expect(excluded(['/cache'], 'cache')).to.equal(true);
    expect(excluded(['var/cache'], 'shadow/var/cache')).to.equal(false);
    expect(excluded(['shadow/var/cache'], 'shadow/var/cache/x/y')).to.equal(true);
    expect(excluded(['shadow/*'], 'shadow/a')).to.equal(true);
    expect(excluded(['shadow/*/c'], 'shadow/a/b/c')).to.equal(false);
  });

  it('reach over any number of components with **', () => {
    for (const path of ['a/b', 'a/x/b', 'a/x/y/b']) expect(excluded(['a/**/b'], path), path).to.equal(true);
    expect(excluded(['**/b'], 'b')).to.equal(true);
    expect(excluded(['a/**'], 'a', true)).to.equal(false);
    expect(excluded(['a/**'], 'a/b')).to.equal(true);
    expect(excluded(['a/**b'], 'a/x/b'), 'within a component it is a star').to.equal(false);
  });

  it('mean directories alone with a slash at the end', () => {
    expect(excluded(['tmp/'], 'shadow/tmp', false)).to.equal(false);
    expect(excluded(['tmp/'], 'shadow/tmp', true)).to.equal(true);
    expect(excluded(['tmp/'], 'shadow/tmp/x', false)).to.equal(true);
  });

  it('let the last pattern that fits decide, but nothing below a directory that is out', () => {
    expect(excluded(['*.log', '!keep.log'], 'a/keep.log')).to.equal(false);
    expect(excluded(['!keep.log', '*.log'], 'a/keep.log')).to.equal(true);
    expect(excluded(['a/', '!a/keep.log'], 'a/keep.log')).to.equal(true);
    expect(excluded(['a/*', '!a/keep.log'], 'a/keep.log')).to.equal(false);
  });

  it('explain themselves', () => {
    const patterns = new ExcludePatterns(['*.log', 'shadow/tmp/', '!keep.log']);
    expect(patterns.explain('shadow/tmp/x/y', false)).to.deep.equal({ included: false, rule: 'shadow/tmp/', index: 1, at: 'shadow/tmp' });
    expect(patterns.explain('shadow/keep.log', false)).to.deep.equal({
      included: true,
      rule: '!keep.log',
      index: 2,
      at: 'shadow/keep.log',
    });
    expect(patterns.explain('shadow/tmp', false)).to.deep.equal({ included: true });
  });

  it('say of a directory in which nothing can be left out that it need not be asked', () => {
    const patterns = new ExcludePatterns(['shadow/var/cache', '!x']);
    expect(patterns.inDirectory('shadow/home')).to.equal(undefined);
    expect(patterns.inDirectory('')).to.equal(undefined);
    expect(patterns.inDirectory('shadow/var')?.('cache', true)).to.equal(true);
    expect(new ExcludePatterns([]).inDirectory('')).to.equal(undefined);
  });

  it('match bytes that are not UTF-8', () => {
    expect(excluded(['caf\xe9*'], 'a/caf\xe9.txt')).to.equal(true);
    expect(excluded(['caf\xe9*'], 'a/caf\xc3\xa9.txt')).to.equal(false);
  });

  it('are refused when they cannot be understood', () => {
    for (const pattern of ['', '/', '!', '!/', 'a//b', '//a', '../a', 'a/./b', '[a', 'a\\', '[z-a]', '[[:alpha:]]', 'a\0b', '[!']) {
      expect(() => new ExcludePatterns(['ok', pattern]), pattern)
        .to.throw(Failure)
        .with.property('code', 'invalid_settings');
    }
  });
});

describe('exclude patterns beside git', () => {
  const paths: [string, boolean][] = [];
  for (const a of ['a', 'b', 'ab']) {
    paths.push([a, true]);
    for (const b of ['a', 'b', 'a.log']) {
      const isDirectory = b !== 'a.log';
      paths.push([`${a}/${b}`, isDirectory]);
      if (isDirectory) for (const c of ['a', 'ba', 'b.log']) paths.push([`${a}/${b}/${c}`, false]);
    }
  }
  // Whoever runs the tests may have patterns of their own.
  const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  let tree: string;

  before(() => {
    tree = mkdtempSync(join(tmpdir(), 'exclude-'));
    for (const [path, isDirectory] of paths) {
      if (isDirectory) mkdirSync(join(tree, path));
      else writeFileSync(join(tree, path), '');
    }
    spawnSync('git', ['init', '-q', tree], { env });
  });

  after(() => rmSync(tree, { recursive: true, force: true }));

  /** What git leaves out by these patterns. */
  function excludedByGit(patterns: readonly string[]): string[] {
    writeFileSync(join(tree, '.git', 'info', 'exclude'), `${patterns.join('\n')}\n`);
    const input = paths.map(([path]) => path).join('\n');
    const { stdout, status } = spawnSync('git', ['-C', tree, 'check-ignore', '--no-index', '--stdin'], { input, encoding: 'utf8', env });
    expect(status).to.be.within(0, 1);
    return stdout.split('\n').filter((line) => line !== '');
  }

  it('leave out the same, asked either way', () => {
    const component = fc.constantFrom('a', 'b', '*', '?', '**', 'a*', '*.log', '[ab]', '[!a]', '*b*', '??');
    const pattern = fc
      .tuple(
        fc.constantFrom('', '', '!'),
        fc.constantFrom('', '/'),
        fc.array(component, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', '', '/'),
      )
      .map(([not, top, components, end]) => `${not}${top}${components.join('/')}${end}`);
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), (patterns) => {
        const ours = new ExcludePatterns(patterns);
        const git = excludedByGit(patterns);
        expect(paths.filter(([path, isDirectory]) => !ours.explain(path, isDirectory).included).map(([path]) => path)).to.deep.equal(git);
        expect(paths.filter(([path, isDirectory]) => walked(ours, path, isDirectory)).map(([path]) => path)).to.deep.equal(git);
      }),
      { numRuns: 60 },
    );
  });
});

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Engine } from 'php-parser';

const PROJECT = join(import.meta.dirname, '../..');

// What the parser lets pass although PHP 7.4 does not know it, or knows it as something else.
const LATER_TYPES = ['mixed', 'static', 'never', 'false', 'true', 'null'];
const LATER_FUNCTIONS = [
  'str_contains',
  'str_starts_with',
  'str_ends_with',
  'get_debug_type',
  'get_resource_id',
  'fdiv',
  'preg_last_error_msg',
  'array_is_list',
  'fsync',
  'fdatasync',
  'enum_exists',
  'ini_parse_quantity',
  'json_validate',
  'mb_str_pad',
  'array_find',
  'array_any',
  'array_all',
  'posix_eaccess',
];

interface Node {
  readonly kind: string;
  readonly [property: string]: unknown;
}

/** What PHP 7.4 would not understand in one node of the tree. */
function tooNew(node: Node): string | undefined {
  const name = typeof node.name === 'string' ? node.name.replace(/^\\/, '').toLowerCase() : '';
  const what = node.what as Node | undefined;
  if (node.kind === 'uniontype' || node.kind === 'intersectiontype') return 'a union or intersection type';
  if (node.isType === true && LATER_TYPES.includes(name)) return `the type ${name}`;
  if (node.kind === 'parameter' && Number(node.flags ?? 0) !== 0) return 'a promoted constructor parameter';
  if (node.kind === 'parameter' && (node.value as Node | null)?.kind === 'new') return 'an object as a default';
  if (node.readonly === true || node.isReadonly === true) return 'readonly';
  if (node.kind === 'call' && what?.kind === 'name' && LATER_FUNCTIONS.includes(String(what.name).replace(/^\\/, '')))
    return `${what.name}()`;
  if (node.kind === 'staticlookup' && what?.kind === 'variable' && (node.offset as Node).name === 'class') return '$object::class';
  return undefined;
}

function* nodes(value: unknown, isType = false): Generator<Node> {
  if (Array.isArray(value)) {
    for (const item of value) yield* nodes(item, isType);
  } else if (value !== null && typeof value === 'object') {
    if ('kind' in value) yield { ...value, isType } as unknown as Node;
    for (const [key, item] of Object.entries(value)) if (key !== 'loc') yield* nodes(item, key === 'type' || (isType && key === 'types'));
  }
}

/** Everything in a file that PHP 7.4 would not understand. */
function problems(engine: Engine, code: string, file: string): string[] {
  try {
    return [...nodes(engine.parseCode(code, file))].flatMap((node) => tooNew(node) ?? []);
  } catch (error) {
    return [(error as Error).message];
  }
}

describe('the PHP of the plugin', () => {
  let engine: Engine;
  before(async () => {
    const parser = await import('php-parser');
    engine = new parser.Engine({ parser: { php7: true, version: '7.4', suppressErrors: false }, ast: {}, lexer: {} });
  });

  for (const file of ['php-module', 'scopes'].flatMap((folder) => globSync(`${PROJECT}/${folder}/*.php`))) {
    it(`is understood by PHP 7.4: ${file.slice(PROJECT.length + 1)}`, () => {
      expect(problems(engine, readFileSync(file, 'utf8'), file)).to.deep.equal([]);
    });
  }

  const later = [
    'function f(int|string $a) {}',
    'function f(A&B $a) {}',
    'function f(mixed $a) {}',
    'function f(): static {}',
    'function f(): never {}',
    'class A { private int|string $a; }',
    'class A { function __construct(private $a) {} }',
    'class A { public readonly int $a; }',
    'readonly class A {}',
    'enum A {}',
    '$a?->b();',
    '$a = match (1) { 1 => 2 };',
    'f(a: 1);',
    'f(...);',
    'try {} catch (A) {}',
    '$a = $b ?? throw new E;',
    'function f($a,) {}',
    '$a::class;',
    'function f($a = new A) {}',
    'str_contains($a, $b);',
    '\\str_starts_with($a, $b);',
    'class A { final const B = 1; }',
    'class A { const string B = "1"; }',
  ];
  for (const code of later) {
    it(`would not pass with ${code}`, () => {
      expect(problems(engine, `<?php ${code}`, 'later.php')).not.to.deep.equal([]);
    });
  }

  it('may use everything that PHP 7.4 has', () => {
    const code =
      '<?php class A { private ?int $a = null; function f(?string $b, array $c = []): ?self { [$x, $y] = $c; $x ??= fn($z) => $z; return g(...$c,); } }';
    expect(problems(engine, code, 'now.php')).to.deep.equal([]);
  });
});

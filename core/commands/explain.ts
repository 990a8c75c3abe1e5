import { lstatSync, type Stats } from 'node:fs';
import type { Context } from '../context/context.ts';
import { ExcludePatterns } from '../exclude/exclude-patterns.ts';
import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { fromTreePath, toWirePath } from '../manifest/wire-path.ts';
import type { PanelUnit } from '../panel/unit.ts';
import { requireLivingUnit } from '../panel/units.ts';
import { unknownPath } from '../restore/plan/unknown-path.ts';
import { mountedPaths } from '../scan/walk/mounted-paths.ts';
import { entryOfRoot, type ScanRoot } from '../scan/walk/scan-roots.ts';
import type { ExplainRequest, ExplainResult } from '../schemas/explain.ts';
import { excludeOf } from '../timeline/exclude-rules.ts';

type Decision = Pick<ExplainResult, 'included' | 'by' | 'pattern' | 'number' | 'at' | 'reason'>;

function decided(by: ExplainResult['by'], included: boolean, reason: string, at?: ByteString): Decision {
  return { included, by, pattern: null, number: null, at: at === undefined ? null : toWirePath(at), reason };
}

/** Why a path is in the next backup of a unit, or is not. The path need not exist: then it is told what would be. */
export async function explain(request: ExplainRequest, { settings }: Context): Promise<ExplainResult> {
  const unit = requireLivingUnit(settings, request.unit);
  const path = fromTreePath(request.path);
  const root = unit.roots.find((candidate) => isWithin(path, candidate.path));
  const status = root === undefined ? undefined : statusOf(path, root);
  const below = `shadow/${path}`;
  const isForgotten =
    root === undefined && unit.roots.some((candidate) => isWithin(below, candidate.path) && statusOf(below, candidate) !== undefined);
  if (isForgotten) throw unknownPath(`${unit.name} has no`, [path], (candidate) => candidate === below);
  const decision =
    root === undefined
      ? decided('outside', false, `${unit.name} is backed up from ${unit.roots.map((each) => each.path).join(', ')}; this is not in there.`)
      : decide(path, root, unit, status?.isDirectory() === true, excludeOf(unit, settings).patterns);
  return { unit: unit.name, path: toWirePath(path), exists: status !== undefined, ...decision };
}

function statusOf(path: ByteString, root: ScanRoot): Stats | undefined {
  const source = `${root.parent}/${entryOfRoot(root)}${path.slice(root.path.length)}`;
  return lstatSync(Buffer.from(source, 'latin1'), { throwIfNoEntry: false });
}

function decide(path: ByteString, root: ScanRoot, unit: PanelUnit, isDirectory: boolean, patterns: readonly ByteString[]): Decision {
  const always = unit.excluded.find((excluded) => isWithin(path, excluded));
  if (always !== undefined) return decided('always', false, 'It is always excluded: live database files cannot be restored.', always);
  const { included, rule, index, at } = new ExcludePatterns(patterns).explain(path, isDirectory, root.path);
  const pattern = rule === undefined || index === undefined ? undefined : { pattern: toWirePath(rule).path, number: index + 1 };
  const mount = [...mountedPaths([root]).keys()].find((mounted) => path !== mounted && isWithin(path, mounted));
  if (included && mount !== undefined) {
    return decided('mount', false, 'Something else is mounted above it, and backups do not cross mounts.', mount);
  }
  if (pattern === undefined || at === undefined) return decided('nothing', true, 'No rule excludes it.');
  const effect = included ? 'includes it again' : at === path ? 'excludes it' : 'excludes a directory above it';
  const reason = `Pattern ${pattern.number} of the setting exclude, ${pattern.pattern}, ${effect}.`;
  return { ...decided('pattern', included, reason, at), ...pattern };
}

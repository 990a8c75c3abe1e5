import { execa } from 'execa';

/** The two ways in which cpcmd may read a word; which is the panel's is not known, so what we do has to be right under both. */
export const GRAMMARS = ['public', 'documented'] as const;
export type Grammar = (typeof GRAMMARS)[number];

/** What a word was read as, or why it was refused. */
export interface Read {
  readonly value?: unknown;
  readonly refused?: string;
}

const READ = `foreach (['CommandArguments', 'DocumentedGrammar', 'PublicGrammar'] as $class) require $argv[1] . "/lib/$class.phps";
define('STANDIN_GRAMMAR', $argv[2]);
foreach (json_decode(stream_get_contents(STDIN)) as $word) {
  try { $read[] = ['value' => CommandArguments::cli($word)]; } catch (InvalidArgumentException $wrong) { $read[] = ['refused' => $wrong->getMessage()]; }
}
echo json_encode($read, JSON_THROW_ON_ERROR);`;

/** Reads words of a command line as the stand-in's cpcmd does, all in one process. */
export async function readWords(grammar: Grammar, words: readonly string[]): Promise<Read[]> {
  const { stdout } = await execa('php', ['-d', 'error_reporting=-1', '-r', READ, import.meta.dirname, grammar], {
    input: JSON.stringify(words),
  });
  return JSON.parse(stdout);
}

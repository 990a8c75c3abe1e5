/** A command of cpcmd in a text, as a shell would hand it over. */
export interface Example {
  readonly text: string;
  readonly words: readonly string[];
  /** Words with a character that a shell replaces, outside of quotes. */
  readonly unquoted: readonly string[];
}

/** Separates what follows a command, as a comment or a description in a column of its own, from it. */
const FOLLOWS = /\s+#\s.*$|\s{3,}.*$/;
/** A synopsis has words in capitals. */
const SYNOPSIS = /(?:^|[\s[|])[A-Z]{4,}(?=[\s\]|]|$)/;

function split(text: string): Omit<Example, 'text'> {
  const words: string[] = [];
  const unquoted: string[] = [];
  for (const [word] of text.matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/g)) {
    words.push(
      word.replace(
        /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
        (_, single, double, escaped) => single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped,
      ),
    );
    if (/[[\]*?;|&<>$()`]/.test(word.replace(/'[^']*'|"(?:\\.|[^"\\])*"/g, ''))) unquoted.push(word);
  }
  return { words, unquoted };
}

/** The calls of Beacon that a text shows, without its options. */
export function exampleCalls(text: string): Example[] {
  return examplesOf([...text.matchAll(/^ {4,}beacon eval (?:--\S+ )*(.*)$/gm)]);
}

/** The commands that a text shows: lines of code that begin with cpcmd, and cpcmd in backticks. What follows `-r` is PHP. */
export function exampleCommands(text: string): Example[] {
  return examplesOf([...text.matchAll(/^ {4,}(?:\[\d+\/\d+\] )?(cpcmd .*)$/gm), ...text.matchAll(/`(cpcmd [^`\n]+)`/g)]);
}

function examplesOf(lines: readonly RegExpMatchArray[]): Example[] {
  return lines
    .map(([, line]) => line!.replace(FOLLOWS, '').replace(/ \.\.\.$/, ''))
    .filter((line) => !SYNOPSIS.test(line) && !line.startsWith('cpcmd -r '))
    .map((line) => ({ text: line, ...split(line) }));
}

<?php
declare(strict_types=1);

/*
 * Adds the plugin's lines to the panel's boot.php, which belongs to other add-ons, too, or takes them out:
 * php boot-block.php add|remove FRAGMENT [EVENT] < boot.php > new boot.php
 * EVENT takes the place of that word in the lines, which an account hook needs.
 * What is not between the marks stays as it is, byte for byte. Ends with 1, and says why, where the file cannot be edited safely.
 */

const BEGIN = '// >>> apiscp-backup';
const END = '// <<< apiscp-backup';
// Each alone on its line: what an add-on with a longer name marks is not ours.
const MARKED_BEGIN = '^// >>> apiscp-backup[ \t\r]*$';
const MARKED_END = '^// <<< apiscp-backup[ \t\r]*$';

/** @return never */
function refuse(string $reason): void
{
	fwrite(STDERR, "boot.php: {$reason}\n");
	exit(1);
}

/** Whether PHP compiles a text; the reason where it does not. */
function complaint(string $code): ?string
{
	$check = proc_open(
		[PHP_BINARY, '-d', 'display_errors=1', '-l'],
		[['pipe', 'r'], ['pipe', 'w'], ['file', '/dev/null', 'w']],
		$pipes
	);
	fwrite($pipes[0], $code);
	fclose($pipes[0]);
	$said = trim(stream_get_contents($pipes[1]));

	return proc_close($check) === 0 ? null : strtok($said, "\n");
}

/** Where each pair of marks is, as offset and length, with the line ends around them that belong to the lines. */
function blocks(string $code): array
{
	preg_match_all('~' . MARKED_BEGIN . '.*?' . MARKED_END . '(?:\n|\z)~ms', $code, $found, PREG_OFFSET_CAPTURE);

	return array_map(static function (array $match): array {
		return [$match[1], strlen($match[0])];
	}, $found[0]);
}

/** A file that was cut inside of the block ends in the middle of it. */
function withoutCutBlock(string $code, string $block): string
{
	$at = strrpos($code, "\n" . BEGIN);
	if ($at === false || strpos($code, END, $at) !== false) {
		return $code;
	}
	$rest = substr($code, $at + 1);

	return strpos($block, $rest) === 0 ? substr($code, 0, $at + 1) : $code;
}

/** The offset behind the opening tag and what has to stand first: `declare(…);` and `namespace …;`. Null without such a tag. */
function firstPlace(string $code): ?int
{
	$offset = 0;
	$place = null;
	$inside = false;
	foreach (token_get_all($code) as $token) {
		$kind = is_array($token) ? $token[0] : null;
		$text = is_array($token) ? $token[1] : $token;
		$offset += strlen($text);
		if ($place === null) {
			if ($kind !== T_OPEN_TAG) {
				return null;
			}
			$place = $offset;
		} elseif ($inside) {
			if ($text === ';') {
				$place = $offset;
				$inside = false;
			} elseif ($text === '{') {
				break;
			}
		} elseif ($kind === T_DECLARE || $kind === T_NAMESPACE) {
			$inside = true;
		} elseif (!in_array($kind, [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT], true)) {
			break;
		}
	}

	return $place;
}

/** The text with the block in a place where it is reached, whatever follows. */
function withBlock(string $code, string $block): string
{
	if (trim($code) === '') {
		return "<?php\n{$block}";
	}
	$place = firstPlace($code);
	if ($place === null) {
		refuse('it does not begin with <?php, so it is no PHP file or prints something');
	}
	$before = substr($code, 0, $place);
	$after = substr($code, $place);
	$isOwnLine = substr($before, -1) === "\n";
	if (!$isOwnLine && preg_match('~\A[ \t]*(?:(?://|\#)[^\n]*)?\r?\n~', $after, $end) === 1) {
		$before .= $end[0];
		$after = substr($after, strlen($end[0]));
		$isOwnLine = true;
	}

	return $before . ($isOwnLine ? '' : "\n") . $block . $after;
}

[, $action, $fragment, $event] = $argv + [null, '', '', 'EVENT'];
$code = stream_get_contents(STDIN);
$block = str_replace('EVENT', $event, preg_replace('~\A<\?php\n~', '', (string)file_get_contents($fragment)));
if (($action !== 'add' && $action !== 'remove') || strpos($block, BEGIN) !== 0) {
	refuse('usage: boot-block.php add|remove FRAGMENT');
}
$edited = withoutCutBlock($code, $block);
$found = blocks($edited);
if (preg_match_all('~' . MARKED_BEGIN . '~m', $edited) !== count($found) || preg_match_all('~' . MARKED_END . '~m', $edited) !== count($found)) {
	refuse('the marks of apiscp-backup in it do not stand in pairs, each on a line of its own');
}
$kept = $action === 'add' && $found !== [] ? 0 : null;
for ($index = count($found) - 1; $index >= 0; $index--) {
	[$offset, $length] = $found[$index];
	$edited = substr_replace($edited, $index === $kept ? $block : '', $offset, $length);
}
if ($action === 'add') {
	$problem = trim($edited) === '' ? null : complaint($edited);
	if ($problem !== null) {
		refuse("it is broken already: {$problem}");
	}
	if ($found === []) {
		$edited = withBlock($edited, $block);
	}
	$problem = complaint($edited);
	if ($problem !== null) {
		refuse("with the lines of apiscp-backup it would not work: {$problem}");
	}
} elseif (trim($edited) === '<?php') {
	$edited = '';
}
// On a full disk a part of it would be a file that is cut.
if ($edited !== '' && (@fwrite(STDOUT, $edited) !== strlen($edited) || !fflush(STDOUT))) {
	refuse('the new text could not be written: is there room in the folder for temporary files?');
}

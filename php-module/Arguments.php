<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * What a caller passed to a command, by place. Commands take whatever the panel's parser made of a word, so that a slip is
 * answered with what was meant to stand there, and not with what PHP says of types.
 */
final class Arguments
{
	/** Longest value that a message repeats, in bytes. */
	private const SHOWN_BYTES = 80;
	/** How to say that nothing is said. */
	const LEAVE_OUT = '; leave it out, or say null, for the default';
	/** The word for all paths, databases or copies. */
	const EVERYTHING = 'all';

	/**
	 * An argument as arrays all through: some decoders of SOAP make objects of maps.
	 *
	 * @param mixed $value
	 * @return mixed
	 */
	public static function plain($value)
	{
		$value = $value instanceof \stdClass ? (array)$value : $value;

		return \is_array($value) ? array_map([self::class, 'plain'], $value) : $value;
	}

	/**
	 * Whether an array is a list; the empty one is.
	 */
	public static function isList(array $value): bool
	{
		return $value === [] || array_keys($value) === range(0, \count($value) - 1);
	}

	/**
	 * Nulls at the end do not count: SOAP with a WSDL sends one for everything that was left out.
	 *
	 * @param int    $most  how many arguments the command takes
	 * @param array  $given all that were passed
	 * @param string $usage the command as it is meant, for the message
	 * @throws Failure
	 */
	public static function noneBeyond(int $most, array $given, string $usage): void
	{
		while ($given !== [] && end($given) === null) {
			array_pop($given);
		}
		if (\count($given) > $most) {
			throw new Failure('extra_argument', ['argument' => self::shown($given[$most]), 'usage' => $usage]);
		}
	}

	/**
	 * The word for a site; null when none was given.
	 *
	 * @param mixed $site
	 * @throws Failure
	 */
	public static function site($site): ?string
	{
		if ($site === null || \is_string($site) || \is_int($site)) {
			// Clients of SOAP that have no word for null send its name.
			return $site === null || $site === 'null' ? null : (string)$site;
		}
		throw new Failure('bad_argument', ['argument' => self::shown($site), 'expected' => 'a site, such as site12 or example.com']);
	}

	/**
	 * A text; what is left out or null is the default. An empty one is what a variable left that is not set, and never the default.
	 *
	 * @param mixed       $value
	 * @param string|null $default  null when there is none
	 * @param string      $expected what has to stand there, for the message
	 * @throws Failure
	 */
	public static function text($value, ?string $default, string $expected): string
	{
		$text = $value ?? $default;
		if ($value !== '' && (\is_string($text) || \is_int($text) || \is_float($text))) {
			return (string)$text;
		}
		if ($value === '') {
			throw self::emptied('\'\'', $expected . ($default === null ? '' : self::LEAVE_OUT));
		}
		throw new Failure('bad_argument', ['argument' => self::shown($value), 'expected' => $expected]);
	}

	/**
	 * Paths: a list, one as a text, one as a map with `path` or `path_b64`; none for null. An empty list is what the panel's command line
	 * leaves of one whose last word is a variable that is not set, so it never stands for everything.
	 *
	 * @param mixed    $paths
	 * @param string[] $options names of options, which may have been passed in the place of the paths
	 * @param string   $usage   the command as it is meant, for the message
	 * @throws Failure
	 */
	public static function paths($paths, array $options, string $usage): array
	{
		$paths = self::plain($paths);
		if ($paths === null) {
			return [];
		}
		if ($paths === []) {
			throw self::emptied('[]', 'a list of paths. For everything say `all\' in its place');
		}
		if (!\is_array($paths)) {
			return [$paths];
		}
		foreach ($paths as $key => $path) {
			if (\in_array($key, $options, true) || (\is_string($path) && \in_array(strstr($path, ':', true), $options, true))) {
				throw new Failure('options_misplaced', ['option' => \is_int($key) ? (string)$path : $key, 'usage' => $usage]);
			}
		}
		if (self::isList($paths)) {
			return $paths;
		}
		if (array_diff(array_keys($paths), ['path', 'path_b64']) !== []) {
			// What cpcmd makes of [shadow/a:b].
			throw new Failure('bad_argument', ['argument' => self::shown($paths), 'expected' => 'a list of paths. One with a colon, a comma or a blank stands in quotes inside of the list, as in "[\'shadow/a: b\']"']);
		}

		return [$paths];
	}

	/**
	 * Where in a value something is empty, which is what the panel's command line leaves of a list or a map that ends with a variable which is
	 * not set; null when nothing is.
	 *
	 * @param mixed  $value
	 * @param string $name  of the value, empty for the whole
	 */
	public static function firstEmptied($value, string $name = ''): ?string
	{
		$value = self::plain($value);
		if ($value === [] || $value === '') {
			return $name;
		}
		foreach (\is_array($value) ? $value : [] as $key => $item) {
			$emptied = self::firstEmptied($item, $name === '' ? (string)$key : "{$name}.{$key}");
			if ($emptied !== null) {
				return $emptied;
			}
		}

		return null;
	}

	/** What is said of a word that arrived empty. */
	public static function emptied(string $shown, string $expected): Failure
	{
		return new Failure('bad_argument', ['argument' => $shown, 'expected' => "{$expected}. It is empty, as when a variable is not set"]);
	}

	/**
	 * A value as a message shows it.
	 *
	 * @param mixed $value
	 */
	public static function shown($value): string
	{
		$text = \is_string($value) ? $value : (string)json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR);
		// Messages are kept in logs, where no key of age belongs.
		$text = (string)preg_replace('/AGE-SECRET-KEY[^\s"\']*/i', '(a secret key)', $text);

		return \strlen($text) > self::SHOWN_BYTES ? substr($text, 0, self::SHOWN_BYTES) . '...' : $text;
	}
}

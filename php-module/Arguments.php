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

	/**
	 * @param int    $most  how many arguments the command takes
	 * @param array  $given all that were passed
	 * @param string $usage the command as it is meant, for the message
	 * @throws Failure
	 */
	public static function noneBeyond(int $most, array $given, string $usage): void
	{
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
			return $site === null ? null : (string)$site;
		}
		throw new Failure('bad_argument', ['argument' => self::shown($site), 'expected' => 'a site, such as site12 or example.com']);
	}

	/**
	 * A text; what is left out or null is the default.
	 *
	 * @param mixed       $value
	 * @param string|null $default  null when there is none
	 * @param string      $expected what has to stand there, for the message
	 * @throws Failure
	 */
	public static function text($value, ?string $default, string $expected): string
	{
		$text = $value === null || $value === '' ? $default : $value;
		if (\is_string($text) || \is_int($text) || \is_float($text)) {
			return (string)$text;
		}
		throw new Failure('bad_argument', ['argument' => self::shown($value), 'expected' => $expected]);
	}

	/**
	 * Paths: a list, one as a text, one as a map with `path` or `path_b64`; none for null and an empty text.
	 *
	 * @param mixed    $paths
	 * @param string[] $options names of options, which may have been passed in the place of the paths
	 * @param string   $usage   the command as it is meant, for the message
	 * @throws Failure
	 */
	public static function paths($paths, array $options, string $usage): array
	{
		if ($paths === null || $paths === '') {
			return [];
		}
		if (!\is_array($paths)) {
			return [$paths];
		}
		foreach ($paths as $key => $path) {
			if (\in_array($key, $options, true) || (\is_string($path) && \in_array(strstr($path, ':', true), $options, true))) {
				throw new Failure('options_misplaced', ['option' => \is_int($key) ? (string)$path : $key, 'usage' => $usage]);
			}
		}

		return isset($paths['path']) || isset($paths['path_b64']) ? [$paths] : $paths;
	}

	/**
	 * A value as a message shows it.
	 *
	 * @param mixed $value
	 */
	public static function shown($value): string
	{
		$text = \is_string($value) ? $value : (string)json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR);

		return \strlen($text) > self::SHOWN_BYTES ? substr($text, 0, self::SHOWN_BYTES) . '...' : $text;
	}
}

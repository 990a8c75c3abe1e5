<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Hands messages to the panel, by the one way that every version of its error reporter has: a format and a text. The text is filled from
 * `Messages` here; nothing else is ever the format.
 */
final class Reply
{
	private const FORMAT = '%s';

	public static function error(array $pair, array $arguments): void
	{
		\error(self::FORMAT, self::fill($pair, $arguments));
	}

	public static function warn(array $pair, array $arguments): void
	{
		\warn(self::FORMAT, self::fill($pair, $arguments));
	}

	/**
	 * The text of a message with its placeholders filled, for results.
	 *
	 * @param array                 $pair      of `Messages`
	 * @param array<string, string> $arguments by placeholder
	 */
	public static function fill(array $pair, array $arguments): string
	{
		$replacements = [];
		foreach ($arguments as $name => $value) {
			$replacements['%(' . $name . ')s'] = $value;
		}

		return strtr($pair[1], $replacements);
	}
}

<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Hands messages to the panel. The panel's macros take a format and its arguments; only constants of `Messages` are
 * ever the format.
 */
final class Reply
{
	public static function error(array $pair, array $arguments): void
	{
		\error(self::format($pair), $arguments);
	}

	public static function warn(array $pair, array $arguments): void
	{
		\warn(self::format($pair), $arguments);
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

	/**
	 * Panels of 2024 and later, which are those on PHP 8, take the pair; earlier ones the text alone.
	 *
	 * @return array|string
	 */
	private static function format(array $pair)
	{
		return PHP_VERSION_ID >= 80000 ? $pair : $pair[1];
	}
}

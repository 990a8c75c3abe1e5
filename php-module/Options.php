<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * The options of a command: a map of names to values. Each command names the options that it has, and of what kind each is.
 */
final class Options
{
	const FLAG = 'flag';
	const MOMENT = 'moment';
	const ROWS = 'rows';
	const CURSOR = 'cursor';
	const TARGET = 'target';
	const OVERWRITE = 'overwrite';
	const DURATION = 'duration';
	const SERVER = 'server';
	const DATABASE = 'database';
	const SHARE = 'share';

	/** Whose backups a command means that reads them; what an owner may mean is settled. */
	const WHOSE = ['server' => self::SERVER, 'earlier' => self::FLAG];

	/** What a value of each kind is, for messages. */
	private const MEANT = [
		self::FLAG => 'true or false',
		self::MOMENT => 'a time or a backup, such as latest, 2026-11-20 or \'yesterday 14:00\'',
		self::ROWS => 'a number from 1 to 10000',
		self::CURSOR => 'what the answer before gave as next',
		self::TARGET => 'a folder from the root on, such as /root/found',
		self::OVERWRITE => 'always, changed or never',
		self::DURATION => 'a length of time, such as 90d or 6months',
		self::SHARE => 'a share in percent, from 1 to 100',
		self::SERVER => 'the name or the id of a server, as backup:servers lists them',
		self::DATABASE => 'the name of a database, such as example_wp',
	];
	private const LARGEST_PAGE = 10000;
	private const OVERWRITE_MODES = ['always', 'changed', 'never'];

	/**
	 * @param mixed                 $options as the caller passed them
	 * @param array<string, string> $kinds   of the options that there are, by name
	 * @return array<string, string|bool|int>
	 * @throws Failure `bad_option`
	 */
	public static function read($options, array $kinds): array
	{
		if ($options === null || $options === '') {
			return [];
		}
		if (!\is_array($options)) {
			throw self::refusal(Arguments::shown($options), self::noMap($kinds));
		}
		$read = [];
		foreach ($options as $name => $value) {
			if (\is_int($name)) {
				[$name, $value] = self::unread($value, $kinds);
			}
			if (!isset($kinds[$name])) {
				throw self::refusal((string)$name, self::unknown((string)$name, array_keys($kinds)));
			}
			$read[$name] = self::value($name, $kinds[$name], $value);
		}

		return $read;
	}

	/** A snapshot or a time is a word or some, never a path. */
	public static function isMoment(string $text): bool
	{
		return $text !== '' && \strlen($text) <= 100 && strcspn($text, "/\\%\0\n") === \strlen($text);
	}

	/**
	 * A name and its value that a parser left together: some take `at:yesterday 14:00` for a text, because of the second colon.
	 *
	 * @param mixed                 $item
	 * @param array<string, string> $kinds
	 * @return array{0: string, 1: mixed}
	 * @throws Failure
	 */
	private static function unread($item, array $kinds): array
	{
		$parts = \is_string($item) ? explode(':', $item, 2) : [];
		if (\count($parts) < 2 || !isset($kinds[$parts[0]])) {
			throw self::refusal(Arguments::shown($item), self::noMap($kinds));
		}

		return [$parts[0], trim($parts[1])];
	}

	/**
	 * @param mixed $value
	 * @return string|bool|int
	 * @throws Failure
	 */
	private static function value(string $name, string $kind, $value)
	{
		$readers = [self::FLAG => 'flag', self::ROWS => 'rows', self::SHARE => 'share'];
		$read = isset($readers[$kind]) ? self::{$readers[$kind]}($value) : self::word($kind, $value);
		if ($read === null) {
			throw self::refusal($name, 'cannot be `' . Arguments::shown($value) . '\', but ' . self::MEANT[$kind]);
		}

		return $read;
	}

	/** @param mixed $value */
	private static function flag($value): ?bool
	{
		return \is_scalar($value) ? filter_var($value, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) : null;
	}

	/** @param mixed $value */
	private static function rows($value): ?int
	{
		$range = ['options' => ['min_range' => 1, 'max_range' => self::LARGEST_PAGE]];
		$rows = \is_bool($value) ? false : filter_var($value, FILTER_VALIDATE_INT, $range);

		return $rows === false ? null : $rows;
	}

	/** @param mixed $value */
	private static function share($value): ?int
	{
		$text = \is_scalar($value) && !\is_bool($value) ? rtrim((string)$value, '%') : '';
		$share = filter_var($text, FILTER_VALIDATE_INT, ['options' => ['min_range' => 1, 'max_range' => 100]]);

		return $share === false ? null : $share;
	}

	/** @param mixed $value */
	private static function word(string $kind, $value): ?string
	{
		if (!\is_scalar($value) || \is_bool($value)) {
			return null;
		}
		$text = (string)$value;
		$fits = [
			self::MOMENT => self::isMoment($text),
			self::CURSOR => preg_match('/^[A-Za-z0-9_-]+$/D', $text) === 1,
			self::TARGET => strpos($text, '/') === 0 && array_intersect(['.', '..'], explode('/', $text)) === [] && strpos($text, "\0") === false,
			self::OVERWRITE => \in_array($text, self::OVERWRITE_MODES, true),
			self::DURATION => $text !== '',
			self::SERVER => $text !== '',
			self::DATABASE => $text !== '' && \strlen($text) <= 63 && strpos($text, "\0") === false,
		];

		return $fits[$kind] ? $text : null;
	}

	private static function noMap(array $kinds): string
	{
		$name = (string)array_keys($kinds)[0];

		return "is no map of options; one looks like [{$name}:VALUE], with VALUE " . self::MEANT[$kinds[$name]];
	}

	/** @param string[] $known */
	private static function unknown(string $name, array $known): string
	{
		foreach ($known as $candidate) {
			if (strcasecmp(str_replace(['-', '_'], '', $name), $candidate) === 0) {
				return "is not known; did you mean {$candidate}?";
			}
		}

		return 'is not known here; there are' . ($known === [] ? ' none' : ': ' . implode(', ', $known));
	}

	private static function refusal(string $option, string $problem): Failure
	{
		return new Failure('bad_option', ['option' => $option, 'problem' => $problem]);
	}
}

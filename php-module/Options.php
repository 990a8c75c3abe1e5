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
	const NUMBER = 'number';
	const CURSOR = 'cursor';
	const TARGET = 'target';
	const OVERWRITE = 'overwrite';
	const DURATION = 'duration';
	const SERVER = 'server';
	const DATABASE = 'database';
	const SHARE = 'share';
	const RECIPIENTS = 'recipients';
	const SECRET = 'secret';
	const FINGERPRINT = 'fingerprint';
	const COPY = 'copy';
	const ACCOUNT = 'account';
	const OWNERS = 'owners';
	const PLACE = 'place';

	/** In which place: a copy in the stead of the repository. */
	const WHERE = ['fromCopy' => self::COPY];

	/** Whose backups a command means that reads them; what an owner may mean is settled. */
	const WHOSE = ['server' => self::SERVER, 'earlier' => self::FLAG] + self::WHERE;

	/** Of what can take long. */
	const LATER = ['background' => self::FLAG];

	/** Of what comes in pages. */
	const PAGES = ['limit' => self::ROWS, 'after' => self::CURSOR];

	/** What a value of each kind is, for messages. */
	private const MEANT = [
		self::FLAG => 'true or false',
		self::MOMENT => 'a time or a backup, such as latest, 2026-11-20 or \'yesterday 14:00\'',
		self::ROWS => 'a number from 1 to 10000',
		self::NUMBER => 'a number, as the answer before gave it as next',
		self::CURSOR => 'what the answer before gave as next',
		self::TARGET => 'a folder from the root on, such as /root/found',
		self::OVERWRITE => 'always, changed or never',
		self::DURATION => 'a length of time, such as 90d or 6months',
		self::SHARE => 'a share in percent, from 1 to 100',
		self::RECIPIENTS => 'a public recipient of age, such as age1…, or a list of some',
		self::SECRET => 'the path of a file that belongs to root, closed to all others, in which the secret stands',
		self::FINGERPRINT => 'the fingerprint of a key as backup:servers shows it, in quotes: "SHA256:…"',
		self::COPY => 'the name of a copy, as the Scope backups.copies has it (one of digits in quotes)',
		self::ACCOUNT => 'an account of this server, such as site7 or example.com',
		self::OWNERS => 'a map of who gets what belonged to whom, such as [joe:jane,1012:2044]; a list takes texts: ["joe:jane"]',
		self::PLACE => 'where a repository is: a path, s3:…, sftp:… or rclone:…, in quotes where it has colons',
		self::SERVER => 'the name or the id of a server, as backup:servers lists them (one of digits in quotes)',
		self::DATABASE => 'the name of a database, such as example_wp (one of digits in quotes)',
	];
	/** Kinds whose values are names, also where they look like numbers. */
	private const NAMES = [self::TARGET, self::SERVER, self::DATABASE, self::SECRET, self::COPY, self::ACCOUNT, self::PLACE];
	private const LARGEST_PAGE = 10000;
	private const OVERWRITE_MODES = ['always', 'changed', 'never'];

	/**
	 * Options as they were meant. What a variable that is not set, or a blank without quotes, leaves of a map in the panel's command line
	 * is an empty list or a list; that is refused, because without its options a command does something else.
	 *
	 * @param mixed                 $options as the caller passed them
	 * @param array<string, string> $kinds   of the options that there are, by name
	 * @return array<string, string|bool|int|string[]>
	 * @throws Failure `bad_option`
	 */
	public static function read($options, array $kinds): array
	{
		$options = Arguments::plain($options);
		if ($options === null) {
			return [];
		}
		if ($options === [] || $options === '') {
			throw self::refusal(Arguments::shown($options), self::emptied(array_keys($kinds)));
		}
		if (!\is_array($options)) {
			throw self::refusal(Arguments::shown($options), self::noMap($kinds));
		}
		$read = [];
		foreach ($options as $name => $value) {
			if (\is_int($name)) {
				throw self::refusal(Arguments::shown($value), self::unread($value, $kinds));
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
	 * What is wrong with a value that has no name, and how it may have been meant: because of a second colon the panel's command line may
	 * take `at:yesterday 14:00` for a text.
	 *
	 * @param mixed                 $item
	 * @param array<string, string> $kinds
	 */
	private static function unread($item, array $kinds): string
	{
		[$name, $value] = (\is_string($item) ? explode(':', $item, 2) : []) + ['', ''];
		$isWhole = isset($kinds[$name]) && $value !== '' && strcspn($value, '\'",[]') === \strlen($value);

		return $isWhole
			? "arrived as a text, not as a name and its value. What has colons stands in quotes: \"[{$name}:'" . trim($value) . '\']"'
			: self::noMap($kinds);
	}

	/** @param string[] $known */
	private static function emptied(array $known): string
	{
		return 'arrived in the place of options' . ($known === [] ? '' : ' (' . implode(', ', $known) . ')') . ' without any in it, as when a variable is not set. Leave it out, or say null';
	}

	/**
	 * @param mixed $value
	 * @return string|bool|int|string[]
	 * @throws Failure
	 */
	private static function value(string $name, string $kind, $value)
	{
		$readers = [self::FLAG => 'flag', self::ROWS => 'rows', self::NUMBER => 'number', self::SHARE => 'share', self::RECIPIENTS => 'recipients', self::OWNERS => 'owners'];
		$read = isset($readers[$kind]) ? self::{$readers[$kind]}($value) : self::word($kind, $value);
		if ($read === null) {
			$shown = \in_array($kind, [self::RECIPIENTS, self::SECRET], true) ? 'that' : '`' . Arguments::shown($value) . '\'';
			throw self::refusal($name, "cannot be {$shown}, but " . self::MEANT[$kind]);
		}

		return $read;
	}

	/** @param mixed $value */
	private static function flag($value): ?bool
	{
		$isSaid = \is_scalar($value) && !(\is_string($value) && trim($value) === '');

		return $isSaid ? filter_var($value, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) : null;
	}

	/** @param mixed $value */
	private static function rows($value): ?int
	{
		$range = ['options' => ['min_range' => 1, 'max_range' => self::LARGEST_PAGE]];
		$rows = \is_bool($value) ? false : filter_var($value, FILTER_VALIDATE_INT, $range);

		return $rows === false ? null : $rows;
	}

	/** @param mixed $value */
	private static function number($value): ?int
	{
		$number = \is_bool($value) ? false : filter_var($value, FILTER_VALIDATE_INT, ['options' => ['min_range' => 0]]);

		return $number === false ? null : $number;
	}

	/** @param mixed $value */
	private static function share($value): ?int
	{
		$text = \is_scalar($value) && !\is_bool($value) ? rtrim((string)$value, '%') : '';
		$share = filter_var($text, FILTER_VALIDATE_INT, ['options' => ['min_range' => 1, 'max_range' => 100]]);

		return $share === false ? null : $share;
	}

	/**
	 * @param mixed $value
	 * @return string[]|null
	 */
	private static function recipients($value): ?array
	{
		$recipients = \is_array($value) && Arguments::isList($value) ? $value : [$value];
		$fitting = array_filter($recipients, static function ($recipient): bool {
			// What begins otherwise may be a secret, which is not to be passed on, nor shown.
			return \is_string($recipient) && preg_match('/^age1[a-z0-9]{1,4000}$/D', $recipient) === 1;
		});

		return $recipients !== [] && $fitting === $recipients ? $recipients : null;
	}

	/**
	 * Pairs as the core takes them. The panel's command line makes a map of `[joe:jane]`. A list whose texts have no colon would be one of what
	 * belonged to the users 0, 1 ...
	 *
	 * @param mixed $value
	 * @return string[]|null
	 */
	private static function owners($value): ?array
	{
		$given = \is_array($value) ? $value : [$value];
		$isList = Arguments::isList($given);
		$pairs = [];
		foreach ($given as $from => $to) {
			$pair = \is_scalar($to) && !\is_bool($to) ? ($isList ? (string)$to : "{$from}:{$to}") : '';
			if (preg_match('/^[^:\s]+:[^:\s]+$/D', $pair) !== 1) {
				return null;
			}
			$pairs[] = $pair;
		}

		return $pairs === [] ? null : $pairs;
	}

	/** Whether a path is that of a file which only root can read and change. */
	private static function isSecretFile(string $path): bool
	{
		$status = strpos($path, '/') === 0 && strpos($path, "\0") === false ? @lstat($path) : false;

		return $status !== false && $status['uid'] === 0 && ($status['mode'] & 0170000) === 0100000 && ($status['mode'] & 0077) === 0;
	}

	/** @param mixed $value */
	private static function word(string $kind, $value): ?string
	{
		if (!\is_scalar($value) || \is_bool($value)) {
			return null;
		}
		if (\in_array($kind, self::NAMES, true) && !\is_string($value)) {
			// The panel's command line makes a number of `00123` and of `1e5`.
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
			self::ACCOUNT => $text !== '',
			self::PLACE => $text !== '' && strcspn($text, "\0\n") === \strlen($text),
			self::COPY => preg_match('/^[a-z0-9][a-z0-9-]{0,31}$/D', $text) === 1,
			self::FINGERPRINT => preg_match('~^SHA256:[A-Za-z0-9+/]{43}$~D', $text) === 1,
			self::SECRET => $kind === self::SECRET && self::isSecretFile($text),
			self::DATABASE => $text !== '' && \strlen($text) <= 63 && strpos($text, "\0") === false,
		];

		return $fits[$kind] ? $text : null;
	}

	private static function noMap(array $kinds): string
	{
		if ($kinds === []) {
			return 'is not known here; there are none';
		}
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

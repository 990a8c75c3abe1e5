<?php
declare(strict_types=1);

/** Thrown in place of a message while severities are upgraded. */
class apnscpException extends RuntimeException
{
}

/** The buffer of messages of one process. */
class Error_Reporter
{
	const E_FATAL = 0x20;
	const E_ERROR = 0x10;
	const E_WARNING = 0x08;
	const E_INFO = 0x04;
	const E_DEPRECATED = 0x02;
	const E_DEBUG = 0x01;
	const E_OK = 0;

	private const LABELS = [
		self::E_FATAL => 'FATAL',
		self::E_ERROR => 'ERROR',
		self::E_WARNING => 'WARNING',
		self::E_INFO => 'INFO',
		self::E_DEPRECATED => 'DEPRECATED',
		self::E_DEBUG => 'DEBUG',
		self::E_OK => 'OK',
	];

	/** @var array<int, array{message: string, severity: int, caller: string, bt: array}> */
	private static $buffer = [];
	/** @var int severity from which on a message is thrown; 0 for none */
	private static $thrown = 0;

	/**
	 * Adds a message; a repetition of the one before is dropped.
	 *
	 * @param string|array $message format, or pair of symbol and format
	 */
	public static function add(int $severity, $message, array $arguments, bool $return): bool
	{
		$text = self::format(is_array($message) ? $message[1] : $message, $arguments);
		if (self::$thrown !== 0 && $severity >= self::$thrown) {
			throw new apnscpException($text);
		}
		$trace = debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS, 3);
		$entry = ['message' => $text, 'severity' => $severity, 'caller' => $trace[2]['function'] ?? '', 'bt' => []];
		if (end(self::$buffer) !== $entry) {
			self::$buffer[] = $entry;
		}

		return $return;
	}

	public static function get_buffer(): array
	{
		return self::$buffer;
	}

	public static function flush_buffer(): array
	{
		[$buffer, self::$buffer] = [self::$buffer, []];

		return $buffer;
	}

	public static function merge_buffer(array $buffer): void
	{
		foreach ($buffer as $entry) {
			if (self::$thrown !== 0 && $entry['severity'] >= self::$thrown) {
				throw new apnscpException($entry['message']);
			}
			self::$buffer[] = $entry;
		}
	}

	public static function get_severity(): int
	{
		return self::$buffer === [] ? self::E_OK : max(array_column(self::$buffer, 'severity'));
	}

	public static function is_error(): bool
	{
		return self::get_severity() >= self::E_ERROR;
	}

	/** From now on a message of this severity or above is thrown. Returns what held before. */
	public static function exception_upgrade(int $severity): int
	{
		[$before, self::$thrown] = [self::$thrown, $severity];

		return $before;
	}

	public static function print_summary(): void
	{
		if (self::$buffer === []) {
			return;
		}
		$rule = str_repeat('-', 40) . "\n";
		$text = "{$rule}MESSAGE SUMMARY\nReporter level: " . self::LABELS[self::get_severity()] . "\n";
		foreach (self::$buffer as $entry) {
			$text .= self::LABELS[$entry['severity']] . ": {$entry['message']}\n";
		}
		fwrite(STDERR, $text . $rule);
	}

	/** Substitution happens only when there are arguments: one map for `%(name)s`, else in order as sprintf. */
	private static function format(string $format, array $arguments): string
	{
		if ($arguments === []) {
			return $format;
		}
		if (!is_array($arguments[0])) {
			return vsprintf($format, $arguments);
		}

		return preg_replace_callback('/%\((\w+)\)([sd])|%%/', static function (array $match) use ($arguments): string {
			if ($match[0] === '%%') {
				return '%';
			}
			if (!array_key_exists($match[1], $arguments[0])) {
				throw new ArgumentCountError("message lacks an argument `{$match[1]}'");
			}

			return sprintf('%' . $match[2], $arguments[0][$match[1]]);
		}, $format);
	}
}

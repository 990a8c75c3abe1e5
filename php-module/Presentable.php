<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Makes what came from the core fit for everything a result passes on its way: a terminal, YAML, and SOAP, whose XML
 * cannot hold control characters nor U+FFFE and U+FFFF, and whose clients read numbers beyond 32 bits wrongly.
 */
final class Presentable
{
	private const LARGEST_SOAP_INTEGER = 0x7FFFFFFF;
	/** PHP writes floats with 14 digits unless its setting `precision` says otherwise; whatever has more is a text. */
	private const LARGEST_EXACT_FLOAT = 99999999999999;
	/** Controls, what turns the direction of text, and what XML has no way to write. */
	private const UNSAFE = '/[\x{00}-\x{1F}\x{7F}-\x{9F}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}\x{FFFE}\x{FFFF}]/u';

	/**
	 * A name or a message as one line that a terminal shows without obeying it: what is not safe becomes `\xHH`, a byte each,
	 * bytes that are not UTF-8 too.
	 */
	public static function text(string $raw): string
	{
		$pattern = preg_match('//u', $raw) === 1 ? self::UNSAFE : '/[\x00-\x1F\x7F-\xFF]/';

		return preg_replace_callback($pattern, static function (array $match): string {
			return '\x' . implode('\x', str_split(strtoupper(bin2hex($match[0])), 2));
		}, $raw);
	}

	/**
	 * A result of the core. A string that had to be altered keeps its exact bytes, in base64, under the same key with
	 * `_b64`, and so does a list of strings of which one had to be; an integer beyond 32 bits becomes a float, which is exact,
	 * and one that a float would not show exactly a text.
	 *
	 * @param array $result decoded JSON
	 */
	public static function result(array $result): array
	{
		$shown = [];
		foreach ($result as $key => $value) {
			$shownKey = \is_string($key) ? self::text($key) : $key;
			if (\is_array($value)) {
				$shown[$shownKey] = self::result($value);
			} elseif (\is_string($value)) {
				$shown[$shownKey] = self::text($value);
			} else {
				$shown[$shownKey] = self::number($value);
			}
			if (\is_string($shownKey) && !isset($result[$shownKey . '_b64'])) {
				$shown += self::exactBytes($shownKey, $value, $shown[$shownKey]);
			}
		}

		return $shown;
	}

	/**
	 * The exact bytes of a text or of a list of texts under their own key; nothing when they are shown as they are.
	 *
	 * @param mixed $value
	 * @param mixed $shown
	 */
	public static function exactBytes(string $key, $value, $shown): array
	{
		if (\is_string($value)) {
			return $shown === $value ? [] : [$key . '_b64' => base64_encode($value)];
		}
		$isTexts = \is_array($value) && $value !== [] && array_filter($value, 'is_string') === $value && array_keys($value) === range(0, \count($value) - 1);

		return $isTexts && $shown !== $value ? [$key . '_b64' => array_map('base64_encode', $value)] : [];
	}

	/**
	 * @param mixed $value
	 * @return mixed
	 */
	private static function number($value)
	{
		if (!\is_int($value) || abs($value) <= self::LARGEST_SOAP_INTEGER) {
			return $value;
		}

		return abs($value) <= self::LARGEST_EXACT_FLOAT ? (float)$value : (string)$value;
	}
}

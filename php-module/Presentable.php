<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Makes what came from the core fit for everything a result passes on its way: a terminal, YAML, and SOAP, whose XML
 * cannot hold control characters and whose clients read numbers beyond 32 bits wrongly.
 */
final class Presentable
{
	private const LARGEST_SOAP_INTEGER = 0x7FFFFFFF;

	/**
	 * A name or a message as one line that a terminal shows without obeying it: control characters become `\xHH`,
	 * bytes that are not UTF-8 too.
	 */
	public static function text(string $raw): string
	{
		$pattern = preg_match('//u', $raw) === 1 ? '/[\x00-\x1F\x7F]|\xC2[\x80-\x9F]/' : '/[\x00-\x1F\x7F-\xFF]/';

		return preg_replace_callback($pattern, static function (array $match): string {
			return '\x' . implode('\x', str_split(strtoupper(bin2hex($match[0])), 2));
		}, $raw);
	}

	/**
	 * A result of the core. A string that had to be altered keeps its exact bytes, in base64, under the same key with
	 * `_b64`; an integer beyond 32 bits becomes a float, exact up to 2^53.
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
				if ($shown[$shownKey] !== $value && \is_string($shownKey) && !isset($result[$shownKey . '_b64'])) {
					$shown[$shownKey . '_b64'] = base64_encode($value);
				}
			} elseif (\is_int($value) && abs($value) > self::LARGEST_SOAP_INTEGER) {
				$shown[$shownKey] = (float)$value;
			} else {
				$shown[$shownKey] = $value;
			}
		}

		return $shown;
	}
}

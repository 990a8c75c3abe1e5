<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Turns the arguments of `backup:ls`, `backup:find`, `backup:history` and `backup:diff` into parameters of the core.
 */
final class SearchRequest
{
	private const FLAGS = ['recursive', 'live'];
	private const MOMENTS = ['at', 'from', 'to'];
	private const LARGEST_PAGE = 10000;

	/**
	 * @param string $unit    of the core
	 * @param string $key     what the core calls the path: `folder`, `path`
	 * @param mixed  $path    inside the backup; empty for everything that the requester may see
	 * @param array  $options by name
	 * @return array parameters
	 * @throws Failure
	 */
	public static function params(Requester $requester, string $unit, string $key, $path, array $options): array
	{
		$params = ['unit' => $unit];
		if ($path === '' || $path === null) {
			$path = $requester->isOwner() ? BackupPath::OWNER_ROOT : null;
		}
		if ($path !== null) {
			$params[$key] = BackupPath::ofRequester($requester, $path);
		}
		foreach ($options as $name => $value) {
			$params[$name] = self::option((string)$name, $value);
		}

		return $params;
	}

	/**
	 * @param mixed $value
	 * @return string|bool|int
	 * @throws Failure
	 */
	private static function option(string $name, $value)
	{
		if (\in_array($name, self::FLAGS, true)) {
			$flag = \is_scalar($value) ? filter_var($value, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) : null;
			if ($flag !== null) {
				return $flag;
			}
		} elseif ($name === 'limit') {
			$range = ['options' => ['min_range' => 1, 'max_range' => self::LARGEST_PAGE]];
			$limit = \is_bool($value) ? false : filter_var($value, FILTER_VALIDATE_INT, $range);
			if ($limit !== false) {
				return $limit;
			}
		} elseif (\is_scalar($value) && !\is_bool($value)) {
			$text = (string)$value;
			$fits = $name === 'after' ? preg_match('/^[A-Za-z0-9_-]+$/D', $text) === 1 : \in_array($name, self::MOMENTS, true) && RestoreRequest::isMoment($text);
			if ($fits) {
				return $text;
			}
		}
		throw new Failure('bad_option', ['option' => $name]);
	}
}

<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Turns the arguments of `backup:restore` into the parameters of the core's `restore`, and refuses what the one who
 * asks may not have. What the snapshot holds and where it goes is checked again by the core, entry by entry.
 */
final class RestoreRequest
{
	private const OVERWRITE_MODES = ['always', 'changed', 'never'];

	/**
	 * @param string $unit    of the core
	 * @param array  $paths   each a path inside the snapshot, or a map with `path` or `path_b64`; empty for everything
	 * @param array  $options `at`, `to`, `overwrite`, `delete`, `dryRun`
	 * @return array parameters
	 * @throws Failure
	 */
	public static function params(Requester $requester, string $unit, array $paths, array $options): array
	{
		$params = ['unit' => $unit];
		if ($requester->isOwner()) {
			$params['policy'] = 'owner';
			$paths = $paths ?: [BackupPath::OWNER_ROOT];
		}
		foreach ($paths as $path) {
			$params['paths'][] = BackupPath::ofRequester($requester, $path);
		}
		foreach ($options as $name => $value) {
			$params[$name] = self::option((string)$name, $value);
		}
		if (isset($params['to'])) {
			$params['to'] = BackupPath::wire($requester->isOwner() ? $requester->newFolderInHome($params['to']) : $params['to']);
		}

		return $params;
	}

	/** A snapshot or a time is a word or some, never a path. */
	public static function isMoment(string $text): bool
	{
		return $text !== '' && \strlen($text) <= 100 && strcspn($text, "/\\%\0\n") === \strlen($text);
	}

	/**
	 * @param mixed $value
	 * @return string|bool
	 * @throws Failure
	 */
	private static function option(string $name, $value)
	{
		if ($name === 'delete' || $name === 'dryRun') {
			$flag = \is_scalar($value) ? filter_var($value, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) : null;
			if ($flag !== null) {
				return $flag;
			}
		} elseif (\is_scalar($value) && !\is_bool($value)) {
			$text = (string)$value;
			// A target is a path from the root.
			$fits = [
				'at' => self::isMoment($text),
				'to' => strpos($text, '/') === 0 && array_intersect(['.', '..'], explode('/', $text)) === [] && strpos($text, "\0") === false,
				'overwrite' => \in_array($text, self::OVERWRITE_MODES, true),
			];
			if ($fits[$name] ?? false) {
				return $text;
			}
		}
		throw new Failure('bad_option', ['option' => $name]);
	}
}

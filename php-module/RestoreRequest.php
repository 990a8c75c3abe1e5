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
	/** The only tree of an account that its owner may restore: `info` holds what the plan grants, `system` is the server's. */
	private const OWNER_ROOT = 'shadow';

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
			$paths = $paths ?: [self::OWNER_ROOT];
		}
		foreach ($paths as $path) {
			$bytes = self::bytes($path);
			if ($requester->isOwner() && strtok($bytes, '/') !== self::OWNER_ROOT) {
				throw new Failure('owner_path', ['path' => $bytes]);
			}
			$params['paths'][] = self::wirePath($bytes);
		}
		foreach ($options as $name => $value) {
			$params[$name] = self::option((string)$name, $value);
		}
		if (isset($params['to'])) {
			$params['to'] = self::wirePath($requester->isOwner() ? $requester->newFolderInHome($params['to']) : $params['to']);
		}

		return $params;
	}

	/**
	 * The bytes of a path; relative, without empty components, `.` and `..`.
	 *
	 * @param mixed $path
	 * @throws Failure
	 */
	private static function bytes($path): string
	{
		$given = \is_array($path) ? ($path['path_b64'] ?? $path['path'] ?? null) : $path;
		$bytes = \is_scalar($given) ? (string)$given : '';
		if (\is_array($path) && isset($path['path_b64'])) {
			$bytes = (string)base64_decode($bytes, true);
		}
		if (array_intersect(['', '.', '..'], explode('/', $bytes)) !== [] || strpos($bytes, "\0") !== false) {
			throw new Failure('bad_path', ['path' => \is_scalar($given) ? (string)$given : \gettype($given)]);
		}

		return $bytes;
	}

	/**
	 * A path as JSON can carry it: its text, and beside it the exact bytes where those are not UTF-8.
	 *
	 * @return array<string, string>
	 */
	private static function wirePath(string $bytes): array
	{
		if (preg_match('//u', $bytes) === 1) {
			return ['path' => $bytes];
		}

		return ['path' => preg_replace('/[\x80-\xFF]/', "\u{FFFD}", $bytes), 'path_b64' => base64_encode($bytes)];
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
			// A snapshot or a time is one word or two, never a path; a target is a path from the root.
			$fits = [
				'at' => $text !== '' && \strlen($text) <= 100 && strcspn($text, "/\\%\0\n") === \strlen($text),
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

<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Paths inside a backup, as callers give them and as the core takes them. What lies behind one is for the core to check.
 */
final class BackupPath
{
	/** The only tree of an account that is its owner's: `info` holds what the plan grants, `system` is the server's. */
	public const OWNER_ROOT = 'shadow';

	/**
	 * A path that the requester may name.
	 *
	 * @param mixed $path text, or a map with `path` or `path_b64`
	 * @return array<string, string> as in a request to the core
	 * @throws Failure
	 */
	public static function ofRequester(Requester $requester, $path): array
	{
		$bytes = self::bytes($path);
		if ($requester->isOwner() && strtok($bytes, '/') !== self::OWNER_ROOT) {
			throw new Failure('owner_path', ['path' => $bytes]);
		}

		return self::wire($bytes);
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
	public static function wire(string $bytes): array
	{
		if (preg_match('//u', $bytes) === 1) {
			return ['path' => $bytes];
		}

		return ['path' => preg_replace('/[\x80-\xFF]/', "\u{FFFD}", $bytes), 'path_b64' => base64_encode($bytes)];
	}
}

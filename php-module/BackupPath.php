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
	/** Dumps of the account's databases, which a download gives its owner, too; the rest of what is there the core keeps back. */
	public const DUMPS = 'databases';
	/** What a client of PHP sends for a list where the panel's WSDL knows texts alone. */
	private const LOST_LIST = 'Array';

	/**
	 * A path that the requester may name.
	 *
	 * @param mixed    $path  text, or a map with `path` or `path_b64`
	 * @param string[] $roots what an owner may name
	 * @return array<string, string> as in a request to the core
	 * @throws Failure
	 */
	public static function ofRequester(Requester $requester, $path, array $roots = [self::OWNER_ROOT]): array
	{
		$bytes = self::bytes($path);
		if ($requester->isOwner() && !\in_array(strtok($bytes, '/'), $roots, true)) {
			throw new Failure('owner_path', ['path' => $bytes, 'meant' => self::OWNER_ROOT . '/' . $bytes]);
		}

		return self::wire($bytes);
	}

	/**
	 * The bytes of a path; relative, without empty components, `.` and `..`. People complete names of folders with a slash, and join
	 * two parts with one too many.
	 *
	 * @param mixed $path
	 * @throws Failure
	 */
	private static function bytes($path): string
	{
		$path = Arguments::plain($path);
		$given = \is_array($path) ? ($path['path_b64'] ?? $path['path'] ?? null) : $path;
		$bytes = \is_scalar($given) && !\is_bool($given) ? (string)$given : '';
		if (\is_array($path) && isset($path['path_b64'])) {
			$bytes = (string)base64_decode($bytes, true);
		}
		$bytes = (string)preg_replace('#/{2,}#', '/', $bytes);
		$bytes = $bytes === '/' ? $bytes : (string)preg_replace('#(?<=[^/])/$#D', '', $bytes);
		$isBad = array_intersect(['', '.', '..'], explode('/', $bytes)) !== [] || strpos($bytes, "\0") !== false;
		if ($isBad || $bytes === self::LOST_LIST) {
			throw new Failure('bad_path', ['path' => Arguments::shown($given ?? $path), 'hint' => self::hint($bytes)]);
		}

		return $bytes;
	}

	/** What may be meant by a path that begins at a root, as an account or the server sees itself. */
	private static function hint(string $bytes): string
	{
		$rest = trim($bytes, '/');
		if ($bytes === '' || $bytes[0] !== '/' || array_intersect(['', '.', '..'], explode('/', $rest)) !== []) {
			return $bytes === '/' ? '. Leave it out for everything; to restore that, say `all\'.' : '. One looks like shadow/var/www/html.';
		}
		$isNamed = \in_array(strtok($rest, '/'), [self::OWNER_ROOT, 'info'], true);

		return '. Did you mean ' . ($isNamed ? '' : self::OWNER_ROOT . '/') . $rest . '?';
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

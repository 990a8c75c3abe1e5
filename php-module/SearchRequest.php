<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Turns the arguments of `backup:ls`, `backup:find`, `backup:history` and `backup:diff` into parameters of the core.
 */
final class SearchRequest
{
	private const OPTIONS = [
		'ls' => ['at' => Options::MOMENT, 'recursive' => Options::FLAG] + Options::PAGES,
		'find' => Options::PAGES,
		'history' => Options::PAGES,
		'diff' => Options::PAGES,
	];

	/**
	 * @param string $command `ls`, `find`, `history` or `diff`
	 * @param mixed  $site    as the caller named it
	 * @param mixed  $path    inside the backup; null or empty for everything that the requester may see
	 * @param mixed  $options by name
	 * @param array  $more    parameters of this command alone
	 * @return array parameters
	 * @throws Failure
	 */
	public static function params(Requester $requester, string $command, $site, $path, $options, array $more = []): array
	{
		$path = Arguments::plain($path);
		$params = ['unit' => $requester->oneUnit(Arguments::site($site))] + $more;
		$kinds = self::OPTIONS[$command] + ($requester->isOwner() ? [] : Options::WHOSE);
		$read = Options::read($options, $kinds);
		$params += $requester->policy();
		if ($path === []) {
			throw Arguments::emptied('[]', 'a path inside the backup, such as shadow/var/www/html; leave it out, or say null, for everything');
		}
		if ($path === null || $path === '') {
			$path = $requester->isOwner() ? BackupPath::OWNER_ROOT : null;
		}
		if (\is_array($path)) {
			// Options in the place of the path are told from it; of paths there is one.
			$paths = Arguments::paths($path, array_keys($kinds), "backup:{$command}, with the options after the path");
			$path = \count($paths) === 1 ? reset($paths) : $path;
		}
		if ($path !== null) {
			$params[$command === 'history' ? 'path' : 'folder'] = BackupPath::ofRequester($requester, $path);
		}

		return $params + $read;
	}
}

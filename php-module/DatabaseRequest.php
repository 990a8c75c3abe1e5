<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Turns the arguments of `backup:databases` and `backup:restore-database` into the parameters of the core. Whose a database is the core finds out from
 * the servers; here the site is taken from who asks.
 */
final class DatabaseRequest
{
	private const OPTIONS = ['at' => Options::MOMENT, 'as' => Options::DATABASE, 'dryRun' => Options::FLAG] + Options::LATER;
	private const OF_THE_ADMINISTRATOR = ['to' => Options::TARGET, 'onto' => Options::ACCOUNT, 'users' => Options::FLAG] + Options::WHOSE;
	private const NAME = '~^(?:mysql|postgresql)/.{1,256}$~sD';

	/**
	 * @param array $given site, databases, options; a site's administrator may leave the site out
	 * @return array parameters
	 * @throws Failure
	 */
	public static function params(Requester $requester, array $given): array
	{
		$usage = 'backup:restore-database SITE DATABASES OPTIONS, as in: backup:restore-database site12 \'[mysql/example_wp]\' \'[at:latest]\'';
		Arguments::noneBeyond(3, $given, $usage);
		$given = Arguments::plain($given);
		if (self::beginsWithDatabases($requester, $given[0] ?? null)) {
			Arguments::noneBeyond(2, $given, 'backup:restore-database DATABASES OPTIONS, as in: backup:restore-database \'[mysql/example_wp]\' \'[at:latest]\'');
			array_unshift($given, null);
		}
		[$site, $databases, $options] = $given + [null, null, null];
		$params = ['unit' => $requester->oneUnit(Arguments::site($site))] + $requester->policy();
		$options = Options::read($options, self::OPTIONS + ($requester->isOwner() ? [] : self::OF_THE_ADMINISTRATOR));
		if (isset($options['to'])) {
			$options['to'] = BackupPath::wire($options['to']);
		}
		if (isset($options['onto'])) {
			$options['onto'] = $requester->oneUnit($options['onto']);
		}

		return $params + self::chosen($databases) + $options;
	}

	/**
	 * The parameters of the list of databases: of a site, or of all when the administrator names none.
	 *
	 * @param mixed $site    as the caller named it
	 * @param mixed $options by name
	 * @throws Failure
	 */
	public static function listParams(Requester $requester, $site, $options): array
	{
		if ($options === null && \is_array(Arguments::plain($site))) {
			[$site, $options] = [null, $site];
		}
		$site = Arguments::site($site);
		$params = array_filter(['unit' => $requester->unit($site === null && !$requester->isOwner() ? 'all' : $site)]) + $requester->policy();
		$kinds = ['at' => Options::MOMENT] + ($requester->isOwner() ? [] : Options::WHOSE);

		return $params + Options::read($options, $kinds);
	}

	/**
	 * What is to be restored is always said: nothing, as of a variable that is not set, is never everything.
	 *
	 * @param mixed $databases a list, one as a text, or `all`
	 * @throws Failure `bad_argument`
	 */
	private static function chosen($databases): array
	{
		if ($databases === 'all') {
			return ['all' => true];
		}
		$names = \is_array($databases) ? array_values($databases) : [$databases];
		foreach ($names as $name) {
			if (!\is_string($name) || preg_match(self::NAME, $name) !== 1) {
				throw new Failure('bad_argument', ['argument' => Arguments::shown($name), 'expected' => 'databases, such as [mysql/example_wp], or all']);
			}
		}
		if ($names === []) {
			throw new Failure('bad_argument', ['argument' => '[]', 'expected' => 'databases, such as [mysql/example_wp], or all']);
		}

		return ['databases' => $names];
	}

	/**
	 * Whether the first argument is no site: a list always, and for an owner, who has one site, a name or `all` too.
	 *
	 * @param mixed $first
	 */
	private static function beginsWithDatabases(Requester $requester, $first): bool
	{
		$isOne = \is_string($first) && ($first === 'all' || preg_match(self::NAME, $first) === 1);

		return \is_array($first) || ($requester->isOwner() && $isOne);
	}
}

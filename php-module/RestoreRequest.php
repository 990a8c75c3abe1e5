<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Turns the arguments of `backup:restore` and `backup:plan` into the parameters of the core, and refuses what the one who
 * asks may not have. What the snapshot holds and where it goes is checked again by the core, entry by entry.
 */
final class RestoreRequest
{
	private const OPTIONS = [
		'at' => Options::MOMENT,
		'to' => Options::TARGET,
		'overwrite' => Options::OVERWRITE,
		'delete' => Options::FLAG,
		'recreate' => Options::FLAG,
	];

	/** Of a restore to another account: whose files are whose is no owner's to say. */
	private const ONTO = ['onto' => Options::ACCOUNT, 'mapUsers' => Options::OWNERS, 'mapGroups' => Options::OWNERS];

	/**
	 * @param string $command `restore`, `plan` or `download`
	 * @param array  $given   site, paths, options; a site's administrator may leave the site out
	 * @return array parameters
	 * @throws Failure
	 */
	public static function params(Requester $requester, string $command, array $given): array
	{
		$usage = "backup:{$command} SITE PATHS OPTIONS, as in: backup:{$command} site12 '[shadow/var/www/html]' '[at:latest]'";
		Arguments::noneBeyond(3, $given, $usage);
		$given = Arguments::plain($given);
		$kinds = self::kinds($command) + ($requester->isOwner() ? [] : Options::WHOSE + ($command === 'download' ? [] : self::ONTO));
		$roots = $command === 'download' ? [BackupPath::OWNER_ROOT, BackupPath::DUMPS] : [BackupPath::OWNER_ROOT];
		self::refuseEmptyPath($requester, $given);
		if (self::beginsWithPaths($requester, $given, $roots)) {
			Arguments::noneBeyond(2, $given, "backup:{$command} PATHS OPTIONS, as in: backup:{$command} '[shadow/var/www/html]' '[at:latest]'");
			array_unshift($given, null);
		}
		[$site, $wanted, $options] = $given + [null, null, null];
		$params = ['unit' => $requester->oneUnit(Arguments::site($site))];
		$paths = $wanted === Arguments::EVERYTHING ? [] : Arguments::paths($wanted, array_keys($kinds), $usage);
		$options = Options::read($options, $kinds);
		if ($command === 'restore' && $wanted === null && !isset($options['to']) && empty($options['dryRun'])) {
			// Where the paths were, the shell leaves nothing of a variable that is not set, and SOAP null.
			throw new Failure('bad_argument', ['argument' => 'null', 'expected' => 'a list of paths, such as [shadow/var/www/html], or `all\': what is there now is replaced']);
		}
		if ($requester->isOwner()) {
			$params += $requester->policy() + $requester->room();
			$paths = $paths ?: (empty($options['withDatabases']) ? [BackupPath::OWNER_ROOT] : []);
		}
		foreach ($paths as $path) {
			$params['paths'][] = BackupPath::ofRequester($requester, $path, $roots);
		}
		if (isset($options['to'])) {
			$options['to'] = BackupPath::wire($requester->isOwner() ? $requester->folderInHome($options['to'], $command !== 'download') : $options['to']);
		}
		if (isset($options['onto'])) {
			$options['onto'] = $requester->oneUnit($options['onto']);
		}

		return $params + $options;
	}

	/**
	 * The options of a command.
	 *
	 * @return array<string, string>
	 */
	private static function kinds(string $command): array
	{
		if ($command === 'download') {
			return ['at' => Options::MOMENT, 'to' => Options::TARGET, 'pipe' => Options::FLAG] + Options::LATER;
		}

		return self::OPTIONS + ($command === 'restore' ? ['dryRun' => Options::FLAG, 'withDatabases' => Options::FLAG] + Options::LATER : []);
	}

	/**
	 * An empty text is what a variable left that is not set.
	 *
	 * @throws Failure `bad_path`
	 */
	private static function refuseEmptyPath(Requester $requester, array $given): void
	{
		if (($given[1] ?? null) === '' || ($requester->isOwner() && $given === [''])) {
			BackupPath::ofRequester($requester, '');
		}
	}

	/**
	 * Whether the first argument is no site: a list always, and for an owner, who has one site, a path too, or `all` without paths behind it.
	 *
	 * @param string[] $roots where paths may begin
	 */
	private static function beginsWithPaths(Requester $requester, array $given, array $roots): bool
	{
		[$first, $second] = $given + [null, null];
		$isEverything = $first === Arguments::EVERYTHING && ($second === null || (\is_array($second) && !Arguments::isList($second)));
		$isPath = $isEverything || (\is_string($first) && \in_array(strtok($first, '/'), $roots, true));

		return \is_array($first) || ($requester->isOwner() && $isPath);
	}
}

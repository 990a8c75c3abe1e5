<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Backups of accounts and of the server.
 *
 * The module decides who may ask for what and passes the request on; the program `apiscp-backup` does the work. The
 * appliance's administrator may mean any site or the whole server, a site's administrator the own site alone.
 *
 * Every command returns a map and never null, because a caller may repeat what was answered with null. A command that
 * failed reports one error and returns `status: failed` with `error`; problems with single files are only in the result.
 */
class Backup_Module extends \Module_Skeleton
{
	const VERSION = '0.1.0';
	/** Seconds for an answer that needs no work. */
	private const SHORT_WAIT = 60;

	public $exportedFunctions = [
		'*' => PRIVILEGE_NONE,
		'run' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'restore' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'list' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'plan' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'ls' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'find' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'history' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'diff' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'verify' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'prune' => PRIVILEGE_ADMIN,
		'hold' => PRIVILEGE_ADMIN,
		'release' => PRIVILEGE_ADMIN,
		'explain' => PRIVILEGE_ADMIN,
		'version' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
	];

	public function __construct()
	{
		parent::__construct();
		// The panel's switch for everything that an administrator's key could do.
		if (\defined('AUTH_ADMIN_API') && !\constant('AUTH_ADMIN_API')) {
			foreach ($this->exportedFunctions as $method => $roles) {
				$this->exportedFunctions[$method] = $roles & ~PRIVILEGE_ADMIN;
			}
		}
	}

	/**
	 * Back up a site, or the whole server
	 *
	 * @param string|null $site  site to back up, or `all`; a site's administrator leaves it out
	 * @param string      $level auto, full, differential, incremental or synthetic
	 * @return array status (ok, partial, failed) and the outcome of each unit
	 */
	public function run(?string $site = null, string $level = 'auto'): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_run', $this->query('backup_run', $site, $level));
		}

		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($site, $level): array {
			$units = $requester->units($site);

			return $core->call('run', ($units === null ? [] : ['units' => $units]) + ['level' => $level]);
		});
	}

	/**
	 * Restore a site, or some of its paths
	 *
	 * The administrator names the site first: `site paths options`. A site's administrator gives `paths options`.
	 *
	 * @param string|array|null $site    site to restore (administrator), else the paths
	 * @param array             $paths   paths as `backup:list` and the guide name them, each a string or a map with
	 *                                   path or path_b64; empty for everything
	 * @param array             $options at (snapshot), to (folder), overwrite (always, changed, never), delete, dryRun
	 * @return array status (ok, partial, failed), counts and problems
	 */
	public function restore($site, array $paths = [], array $options = []): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_restore', $this->query('backup_restore', $site, $paths, $options));
		}
		if (\is_array($site)) {
			[$site, $paths, $options] = [null, $site, $paths + $options];
		}

		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($site, $paths, $options): array {
			$unit = $requester->oneUnit($site === null ? null : (string)$site);

			return $core->call('restore', RestoreRequest::params($requester, $unit, $paths, $options));
		});
	}

	/**
	 * List the backups of a site, or of the whole server
	 *
	 * @param string|null $site site to list; a site's administrator leaves it out
	 * @return array snapshots, oldest first
	 */
	public function list(?string $site = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_list', $this->query('backup_list', $site));
		}

		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($site): array {
			return $requester->visibleSnapshots($core->call('list', array_filter(['unit' => $requester->unit($site)])));
		});
	}

	/**
	 * Tell what a restore would read, write and overwrite
	 *
	 * @param string|array|null $site    site to restore (administrator), else the paths
	 * @param array             $paths   as `backup:restore` takes them
	 * @param array             $options at (time or snapshot), to (folder), overwrite (always, changed, never), delete
	 * @return array the snapshots and packs that are needed, counts and bytes, what would be overwritten and deleted
	 */
	public function plan($site = null, array $paths = [], array $options = []): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_plan', $this->query('backup_plan', $site, $paths, $options));
		}
		if (\is_array($site)) {
			[$site, $paths, $options] = [null, $site, $paths + $options];
		}

		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($site, $paths, $options): array {
			$unit = $requester->oneUnit($site === null ? null : (string)$site);

			return $requester->visibleResult($core->call('plan', RestoreRequest::params($requester, $unit, $paths, $options)));
		});
	}

	/**
	 * List a folder as it was
	 *
	 * @param string|null       $site    site to look at; a site's administrator leaves it out or gives null
	 * @param string|array|null $folder  path inside the backup, or a map with path_b64; empty for the top
	 * @param array             $options at (time or snapshot), recursive, limit (rows), after (`next` of the answer before)
	 * @return array moment, entries, next
	 */
	public function ls(?string $site = null, $folder = null, array $options = []): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_ls', $this->query('backup_ls', $site, $folder, $options));
		}

		return $this->backupSearch('ls', $site, 'folder', $folder, $options);
	}

	/**
	 * Look for names or paths in all backups of a site
	 *
	 * @param string|null       $site    site to look at; a site's administrator gives null
	 * @param string            $pattern `*.php` for names, `shadow/home/*.php` for paths
	 * @param string|array|null $folder  only below this path; empty for everywhere
	 * @param array             $options limit (rows), after (`next` of the answer before)
	 * @return array found, each path with its versions, and next
	 */
	public function find(?string $site, string $pattern, $folder = null, array $options = []): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_find', $this->query('backup_find', $site, $pattern, $folder, $options));
		}

		return $this->backupSearch('find', $site, 'folder', $folder, $options, ['pattern' => $pattern]);
	}

	/**
	 * Tell when a path changed, and how
	 *
	 * @param string|null  $site    site to look at; a site's administrator gives null
	 * @param string|array $path    path inside the backup, or a map with path_b64
	 * @param array        $options limit (rows), after (`next` of the answer before)
	 * @return array events, newest first, and next
	 */
	public function history(?string $site, $path, array $options = []): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_history', $this->query('backup_history', $site, $path, $options));
		}

		return $this->backupSearch('history', $site, 'path', $path, $options);
	}

	/**
	 * Compare two points in time, or one with the site as it is now
	 *
	 * @param string|null       $site    site to look at; a site's administrator leaves it out or gives null
	 * @param string            $from    time or snapshot
	 * @param string            $to      time or snapshot, or `live`
	 * @param string|array|null $folder  only this path and what is below it; empty for everything
	 * @param array             $options limit (rows), after (`next` of the answer before)
	 * @return array from, to, differences, next
	 */
	public function diff(?string $site = null, string $from = 'latest', string $to = 'live', $folder = null, array $options = []): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_diff', $this->query('backup_diff', $site, $from, $to, $folder, $options));
		}
		$moments = ['from' => $from] + ($to === 'live' ? ['live' => true] : ['to' => $to]);

		return $this->backupSearch('diff', $site, 'folder', $folder, $moments + $options);
	}

	/**
	 * Check that the backups of a site, or of the whole server, are complete and undamaged
	 *
	 * @param string|null $site site to check; a site's administrator leaves it out
	 * @return array status, and what is damaged
	 */
	public function verify(?string $site = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_verify', $this->query('backup_verify', $site));
		}

		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($site): array {
			return $core->call('verify', array_filter(['unit' => $requester->unit($site)]));
		});
	}

	/**
	 * Delete the backups that no rule of `backups.retention` keeps
	 *
	 * @param string|null $site    site, or `all`
	 * @param array       $options dryRun: only tell what would go, and by which rule; yes: also more than goes without asking;
	 *                             simulate: show instead what will be held over time, as in `90d`
	 * @return array what became of each backup; of a simulation its days
	 */
	public function prune(?string $site = null, array $options = []): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_prune', $this->query('backup_prune', $site, $options));
		}

		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($site, $options): array {
			return $core->call(...RetentionRequest::prune($requester->units($site), $options));
		});
	}

	/**
	 * Keep a backup whatever the rules of retention say
	 *
	 * @param string      $snapshot its id
	 * @param string      $reason   why, for those who find it later
	 * @param string|null $until    when it ends by itself: `2027-06-30`, `6 months`; else when it is released
	 * @return array what is held, and until when
	 */
	public function hold(string $snapshot, string $reason, ?string $until = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_hold', $this->query('backup_hold', $snapshot, $reason, $until));
		}

		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($snapshot, $reason, $until): array {
			$params = ['snapshot' => $snapshot, 'reason' => $reason];

			return $core->call('hold', $params + ($until === null ? [] : ['until' => $until]), self::SHORT_WAIT);
		});
	}

	/**
	 * End all holds of a backup
	 *
	 * @param string $snapshot its id
	 * @return array how many there were
	 */
	public function release(string $snapshot): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_release', $this->query('backup_release', $snapshot));
		}

		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($snapshot): array {
			return $core->call('release', ['snapshot' => $snapshot], self::SHORT_WAIT);
		});
	}

	/**
	 * Say why a path is in the backups of a site, or is not
	 *
	 * @param string       $site site, or `system`
	 * @param string|array $path as in the backup: `shadow/var/www`, or a map with path or path_b64; it need not exist
	 * @return array included, and which rule decided
	 */
	public function explain(string $site, $path): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_explain', $this->query('backup_explain', $site, $path));
		}

		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($site, $path): array {
			$unit = $requester->unit($site);
			if ($unit === null) {
				throw new Failure('site_needed', []);
			}

			return $core->call('explain', ['unit' => $unit, 'path' => BackupPath::ofRequester($requester, $path)], self::SHORT_WAIT);
		});
	}

	/**
	 * Versions of this module and of the program behind it
	 *
	 * @return array module, and what the program says of itself
	 */
	public function version(): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_version', $this->query('backup_version'));
		}

		return ['module' => self::VERSION] + $this->backupPerform(static function (Requester $requester, CoreClient $core): array {
			return $core->call('version', [], self::SHORT_WAIT);
		});
	}

	/**
	 * Looks for something in the backups of one site.
	 *
	 * @param string $method of the core
	 * @param string $key    what the core calls the path
	 * @param mixed  $path   inside the backup
	 * @param array  $more   further parameters, which the core checks
	 */
	private function backupSearch(string $method, ?string $site, string $key, $path, array $options, array $more = []): array
	{
		return $this->backupPerform(static function (Requester $requester, CoreClient $core) use ($method, $site, $key, $path, $options, $more): array {
			$params = SearchRequest::params($requester, $requester->oneUnit($site), $key, $path, $options);

			return $requester->visibleResult($core->call($method, $params + $more));
		});
	}

	/**
	 * Does the work in the backend and turns whatever comes of it into a result.
	 *
	 * @param callable $work (Requester, CoreClient): array
	 */
	private function backupPerform(callable $work): array
	{
		try {
			if (posix_geteuid() !== 0) {
				throw new Failure('not_root', ['message' => 'the panel\'s backend is']);
			}
			$isAdmin = ($this->permission_level & PRIVILEGE_ADMIN) !== 0;
			if (!$isAdmin && $this->auth_is_demo()) {
				throw new Failure('demo', []);
			}
			$result = $work(new Requester(
				$isAdmin,
				(string)$this->site,
				(string)$this->domain,
				(string)$this->username,
				$isAdmin ? '' : rtrim((string)$this->domain_fs_path(), '/')
			), CoreClient::ofPanel());
		} catch (Failure $failure) {
			$failure->report();

			return $failure->toResult();
		}
		$this->backupReportStatus($result);

		return $result;
	}

	/** Success stays silent, so that a program reading the output sees the result alone. */
	private function backupReportStatus(array $result): void
	{
		$status = $result['status'] ?? 'ok';
		if ($status === 'partial') {
			Reply::warn(Messages::WARN_PARTIAL, []);
		} elseif ($status === 'damaged') {
			Reply::error(Messages::ERR_DAMAGED, ['objects' => (string)\count($result['damages'] ?? [])]);
		} elseif ($status !== 'ok') {
			Reply::error(Messages::ERR_FAILED, []);
		}
	}

	/**
	 * What came back over the hop; null is how a lost worker looks.
	 *
	 * @param mixed $answer
	 */
	private function backupAnswer(string $command, $answer): array
	{
		if (\is_array($answer)) {
			return $answer;
		}
		$failure = new Failure('worker_lost', ['command' => $command], [], true);
		$failure->report();

		return $failure->toResult();
	}
}

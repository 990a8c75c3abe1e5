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
		'verify' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
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
			$unit = $requester->unit($site === null ? null : (string)$site);
			if ($unit === null) {
				throw new Failure('site_needed', []);
			}

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

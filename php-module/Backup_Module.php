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
	/** What can take longer than a caller of the front end waits. */
	private const LONG = ['run', 'restore', 'restore_database', 'verify', 'repair', 'prune', 'copy', 'download'];

	/** @var bool whether a job does what takes long, unless the caller says otherwise */
	private $leavesWork = false;
	/** @var int the user that reads a pipe */
	private $reader = 0;

	public $exportedFunctions = [
		'*' => PRIVILEGE_NONE,
		'init' => PRIVILEGE_ADMIN,
		'keys' => PRIVILEGE_ADMIN,
		'run' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'restore' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'restore_database' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'list' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'plan' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'ls' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'databases' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'find' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'history' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'diff' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'verify' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'repair' => PRIVILEGE_ADMIN,
		'servers' => PRIVILEGE_ADMIN,
		'adopt' => PRIVILEGE_ADMIN,
		'join' => PRIVILEGE_ADMIN,
		'forget' => PRIVILEGE_ADMIN,
		'prune' => PRIVILEGE_ADMIN,
		'copy' => PRIVILEGE_ADMIN,
		'hold' => PRIVILEGE_ADMIN,
		'release' => PRIVILEGE_ADMIN,
		'explain' => PRIVILEGE_ADMIN,
		'status' => PRIVILEGE_ADMIN,
		'fleet_status' => PRIVILEGE_ADMIN,
		'doctor' => PRIVILEGE_ADMIN,
		'version' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'download' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'jobs' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'job' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'cancel' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'log' => PRIVILEGE_ADMIN | PRIVILEGE_SITE,
		'later' => PRIVILEGE_SERVER_EXEC | PRIVILEGE_ADMIN | PRIVILEGE_SITE,
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
	 * Make the repository that `backups.destination` names, or find it
	 *
	 * @param array|null $options who can read what is stored, at the first time: recipients (public, age1…), passphraseFile (a file of root),
	 *                            serverCanRead; newServer: this machine is a clone and goes on as a new server
	 * @return array where it is, and whether it was made now
	 */
	public function init($options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_init', $this->query('backup_init', ...\func_get_args()));
		}

		return $this->backupPerform(1, \func_get_args(), 'backup:init OPTIONS', static function (Requester $requester, CoreClient $core) use ($options): array {
			return $core->call('init', KeyRequest::init($options), self::SHORT_WAIT);
		});
	}

	/**
	 * Show who can read what is stored, or change that for what is stored from now on
	 *
	 * @param array|null $options recipients and removeRecipients (public, age1…), passphraseFile (a file of root), removePassphrase,
	 *                            serverCanRead, plain (encrypt nothing)
	 * @return array who can read it
	 */
	public function keys($options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_keys', $this->query('backup_keys', ...\func_get_args()));
		}

		return $this->backupPerform(1, \func_get_args(), 'backup:keys OPTIONS', static function (Requester $requester, CoreClient $core) use ($options): array {
			return $core->call('keys', KeyRequest::keys($options), self::SHORT_WAIT);
		});
	}

	/**
	 * Back up a site, or the whole server
	 *
	 * @param string      $site  site to back up, or `all`; a site's administrator leaves it out
	 * @param string|null $level auto, full, differential, incremental or synthetic; a site's administrator leaves it out or says incremental
	 * @param array|null  $options background: have a job do it, and answer with that (over SOAP and in the panel it is so anyway)
	 * @return array status (ok, partial, failed) and the outcome of each unit; or the job
	 */
	public function run($site = null, $level = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_run', $this->query('backup_later', 'run', \func_get_args()));
		}

		$usage = 'backup:run SITE LEVEL OPTIONS';

		return $this->backupPerform(3, \func_get_args(), $usage, static function (Requester $requester, CoreClient $core) use ($site, $level, $options): array {
			$read = Options::read($options, Options::LATER);
			$units = $requester->units(Arguments::site($site));
			$level = Arguments::text($level, 'auto', 'a level: auto, full, differential, incremental or synthetic');
			if ($requester->isOwner() && !\in_array($level, ['auto', 'incremental'], true)) {
				throw new Failure('owner_level', ['level' => $level]);
			}

			return $core->long('run', $read + $requester->policy() + ($units === null ? [] : ['units' => $units]) + ($requester->isOwner() ? [] : ['level' => $level]));
		});
	}

	/**
	 * Restore a site, or some of its paths
	 *
	 * The administrator names the site first: `site paths options`. A site's administrator gives `paths options`.
	 *
	 * @param string|array|null $site    site to restore (administrator), else the paths
	 * @param string|array|null $paths   paths as `backup:ls` and the guide name them, each a text or a map with path or
	 *                                   path_b64; one alone may be a text; `all` for everything, which has to be said
	 *                                   unless it goes to a folder
	 * @param array|null        $options at (snapshot), to (folder), overwrite (always, changed, never), delete, dryRun,
	 *                                   recreate (in its place although the account is deleted)
	 * @return array status (ok, partial, failed), counts and problems
	 */
	public function restore($site = null, $paths = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_restore', $this->query('backup_later', 'restore', \func_get_args()));
		}
		$given = \func_get_args();

		return $this->backupPerform(3, $given, 'backup:restore', static function (Requester $requester, CoreClient $core) use ($given): array {
			return $core->long('restore', RestoreRequest::params($requester, 'restore', $given));
		});
	}

	/**
	 * Restore databases of a site
	 *
	 * Each is loaded beside the live one, checked, and put in its place; what was live is kept under another name, which the
	 * result tells. The administrator names the site first: `site databases options`. A site's administrator gives
	 * `databases options`.
	 *
	 * @param string|array|null $site      site (administrator), else the databases
	 * @param string|array|null $databases mysql/NAME or postgresql/NAME, one or a list; or `all`
	 * @param array|null        $options   at (snapshot), as (another name for one database), dryRun; of the administrator also to
	 *                                     (a file for the dump of one database), users, server, earlier
	 * @return array status (ok, partial, failed) and the outcome of each database
	 */
	public function restore_database($site = null, $databases = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_restore_database', $this->query('backup_later', 'restore_database', \func_get_args()));
		}
		$given = \func_get_args();

		return $this->backupPerform(3, $given, 'backup:restore-database', static function (Requester $requester, CoreClient $core) use ($given): array {
			$result = $core->long('restoreDatabase', DatabaseRequest::params($requester, $given));

			return isset($result['job']) ? $result : $requester->visibleResult($result);
		});
	}

	/**
	 * List the backups of a site, or of the whole server
	 *
	 * @param string|null $site    site to list, also by a domain that it had; a site's administrator leaves it out
	 * @param array       $options server: of another server; earlier: include what earlier accounts of this name left (administrator)
	 * @return array snapshots, oldest first
	 */
	public function list($site = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_list', $this->query('backup_list', ...\func_get_args()));
		}

		return $this->backupPerform(2, \func_get_args(), 'backup:list SITE OPTIONS', static function (Requester $requester, CoreClient $core) use ($site, $options): array {
			$read = Options::read($options, $requester->isOwner() ? [] : Options::WHOSE);

			return $requester->visibleSnapshots($core->call('list', $requester->policy() + $read + $requester->listed(Arguments::site($site))));
		});
	}

	/**
	 * Tell what a restore would read, write and overwrite
	 *
	 * @param string|array|null $site    site to restore (administrator), else the paths
	 * @param string|array|null $paths   as `backup:restore` takes them
	 * @param array|null        $options at (time or snapshot), to (folder), overwrite (always, changed, never), delete, recreate
	 * @return array the snapshots and packs that are needed, counts and bytes, what would be overwritten and deleted
	 */
	public function plan($site = null, $paths = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_plan', $this->query('backup_plan', ...\func_get_args()));
		}
		$given = \func_get_args();

		return $this->backupPerform(3, $given, 'backup:plan', static function (Requester $requester, CoreClient $core) use ($given): array {
			return $requester->visibleResult($core->call('plan', RestoreRequest::params($requester, 'plan', $given)));
		});
	}

	/**
	 * List a folder as it was
	 *
	 * @param string|null       $site    site to look at; a site's administrator leaves it out or gives null
	 * @param string|array|null $folder  path inside the backup, or a map with path_b64; null for the top
	 * @param array|null        $options at (time or snapshot), recursive, limit (rows), after (`next` of the answer before)
	 * @return array moment, entries, next
	 */
	public function ls($site = null, $folder = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_ls', $this->query('backup_ls', ...\func_get_args()));
		}
		$usage = 'backup:ls SITE FOLDER OPTIONS';

		return $this->backupSearch('ls', 3, \func_get_args(), $usage, static function () use ($site, $folder, $options): array {
			return [$site, $folder, $options, []];
		});
	}

	/**
	 * List the databases of a site, or of all, as they were
	 *
	 * @param string|null $site    site to look at; left out, null or `all`: every site and the unit `system`, for a site's administrator the own
	 * @param array|null  $options at (time or snapshot)
	 * @return array databases, each with its moment, tables, rows and result; of all a list of units, each with its databases
	 */
	public function databases($site = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_databases', $this->query('backup_databases', ...\func_get_args()));
		}
		$usage = 'backup:databases SITE OPTIONS';

		return $this->backupPerform(2, \func_get_args(), $usage, static function (Requester $requester, CoreClient $core) use ($site, $options): array {
			return $requester->visibleResult($core->call('databases', DatabaseRequest::listParams($requester, $site, $options)));
		});
	}

	/**
	 * Look for names or paths in all backups of a site
	 *
	 * @param string|null       $site    site to look at; a site's administrator gives null
	 * @param string            $pattern `*.php` for names, `shadow/home/*.php` for paths
	 * @param string|array|null $folder  only below this path; null for everywhere
	 * @param array|null        $options limit (rows), after (`next` of the answer before)
	 * @return array found, each path with its versions, and next
	 */
	public function find($site = null, $pattern = null, $folder = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_find', $this->query('backup_find', ...\func_get_args()));
		}
		$usage = 'backup:find SITE PATTERN FOLDER OPTIONS';

		return $this->backupSearch('find', 4, \func_get_args(), $usage, static function () use ($site, $pattern, $folder, $options): array {
			return [$site, $folder, $options, ['pattern' => Arguments::text($pattern, null, 'a pattern, such as \'*.php\'; one that begins with a bracket stands in two quotes: "\'[a-z]*\'"')]];
		});
	}

	/**
	 * Tell when a path changed, and how
	 *
	 * @param string|null  $site    site to look at; a site's administrator gives null
	 * @param string|array $path    path inside the backup, or a map with path_b64
	 * @param array|null   $options limit (rows), after (`next` of the answer before)
	 * @return array events, newest first, and next
	 */
	public function history($site = null, $path = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_history', $this->query('backup_history', ...\func_get_args()));
		}
		$usage = 'backup:history SITE PATH OPTIONS';

		return $this->backupSearch('history', 3, \func_get_args(), $usage, static function () use ($site, $path, $options): array {
			if ($path === null || $path === '' || $path === []) {
				throw new Failure('bad_argument', ['argument' => Arguments::shown($path), 'expected' => 'a path, such as shadow/var/www/html/index.php']);
			}

			return [$site, $path, $options, []];
		});
	}

	/**
	 * Compare two points in time, or one with the site as it is now
	 *
	 * @param string|null       $site    site to look at; a site's administrator leaves it out or gives null
	 * @param string|null       $from    time or snapshot; `latest` when left out
	 * @param string|null       $to      time or snapshot, or `live`, which it is when left out
	 * @param string|array|null $folder  only this path and what is below it; null for everything
	 * @param array|null        $options limit (rows), after (`next` of the answer before)
	 * @return array from, to, differences, next
	 */
	public function diff($site = null, $from = null, $to = null, $folder = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_diff', $this->query('backup_diff', ...\func_get_args()));
		}
		$usage = 'backup:diff SITE FROM TO FOLDER OPTIONS';

		return $this->backupSearch('diff', 5, \func_get_args(), $usage, static function () use ($site, $from, $to, $folder, $options): array {
			$from = self::backupMoment($from, 'latest');
			$to = self::backupMoment($to, 'live');

			return [$site, $folder, $options, ['from' => $from] + ($to === 'live' ? ['live' => true] : ['to' => $to])];
		});
	}

	/**
	 * Check that the backups of a site, or of the whole server, are complete and undamaged
	 *
	 * @param string $site site to check, or `all`; a site's administrator leaves it out
	 * @param array       $options quick: records and manifests only; sample: as quick, and such a share of the contents, another one each time
	 *                             (5%); server: of another server, fromCopy: in a copy (administrator)
	 * @return array status, and what is damaged
	 */
	public function verify($site = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_verify', $this->query('backup_later', 'verify', \func_get_args()));
		}

		return $this->backupPerform(2, \func_get_args(), 'backup:verify SITE OPTIONS', static function (Requester $requester, CoreClient $core) use ($site, $options): array {
			$kinds = ['quick' => Options::FLAG, 'sample' => Options::SHARE] + Options::LATER;
			$read = Options::read($options, $requester->isOwner() ? $kinds : ['server' => Options::SERVER] + Options::WHERE + $kinds);
			$unit = $requester->unit(Arguments::site($site));

			return $core->long('verify', $requester->policy() + $read + array_filter(['unit' => $unit]));
		});
	}

	/**
	 * Heal what is damaged of the backups of a site, or of the whole server, as far as there is something to heal it by
	 *
	 * In a terminal it is done here. Over SOAP and in the web UI a job does it, and the answer is the job: what it says of the repair is in
	 * `result` when it has ended.
	 *
	 * @param string|null $site    a domain, a site or an invoice; a unit of the repository for an account that is gone; all for the whole server
	 * @param array|null  $options dryRun (say what would be healed, and change nothing); background (false: wait for it; true: as a job)
	 * @return array the core's answer, or the job (see the guide for integrators)
	 */
	public function repair($site = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_repair', $this->query('backup_later', 'repair', \func_get_args()));
		}

		return $this->backupPerform(2, \func_get_args(), 'backup:repair SITE OPTIONS', static function (Requester $requester, CoreClient $core) use ($site, $options): array {
			$read = Options::read($options, ['dryRun' => Options::FLAG] + Options::LATER);
			$unit = $requester->unit(Arguments::site($site));

			return $core->long('repair', $read + array_filter(['unit' => $unit]));
		});
	}

	/**
	 * List the servers that have backups in the repository
	 *
	 * @param array|null $options trust: take the key with this fingerprint for one of its server's from now on; somebody has compared it
	 * @return array servers, by age, with the fingerprints of their keys
	 */
	public function servers($options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_servers', $this->query('backup_servers', ...\func_get_args()));
		}

		return $this->backupPerform(1, \func_get_args(), 'backup:servers OPTIONS', static function (Requester $requester, CoreClient $core) use ($options): array {
			return $core->call('servers', Options::read($options, ['trust' => Options::FINGERPRINT]), self::SHORT_WAIT);
		});
	}

	/**
	 * Make this machine the continuation of a server, such as a lost one that it takes the place of
	 *
	 * @param string $server  name or id, as `backup:servers` lists them
	 * @param array  $options yes: even if another machine wrote as it a short time ago
	 * @return array the server as which this machine goes on
	 */
	public function adopt($server = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_adopt', $this->query('backup_adopt', ...\func_get_args()));
		}
		$usage = 'backup:adopt SERVER OPTIONS, as in: backup:adopt old.example.com \'[yes:true]\'';

		return $this->backupPerform(2, \func_get_args(), $usage, static function (Requester $requester, CoreClient $core) use ($server, $options): array {
			return $core->call('adopt', IdentityRequest::adopt($server, $options), self::SHORT_WAIT);
		});
	}

	/**
	 * Say that an earlier account and the present one of its name are the same customer's
	 *
	 * @param string $unit id of the earlier one, as `backup:list` shows it: `site12-1f3a9c2e`
	 * @return array the unit in which the account goes on
	 */
	public function join($unit = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_join', $this->query('backup_join', ...\func_get_args()));
		}

		return $this->backupPerform(1, \func_get_args(), 'backup:join UNIT', static function (Requester $requester, CoreClient $core) use ($unit): array {
			return $core->call('join', IdentityRequest::unit($unit), self::SHORT_WAIT);
		});
	}

	/**
	 * Say that an account, or what is missing of it, is gone for good; its backups stay
	 *
	 * @param string $site site, or the id of a unit
	 * @return array how many backups stay
	 */
	public function forget($site = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_forget', $this->query('backup_forget', ...\func_get_args()));
		}

		return $this->backupPerform(1, \func_get_args(), 'backup:forget SITE', static function (Requester $requester, CoreClient $core) use ($site): array {
			return $core->call('forget', IdentityRequest::gone($site), self::SHORT_WAIT);
		});
	}

	/**
	 * Delete the backups that no rule of `backups.retention` keeps
	 *
	 * @param string     $site    site, or `all`
	 * @param array|null $options dryRun: only tell what would go, and by which rule; yes: also more than goes without asking;
	 *                            simulate: show instead what will be held over time, as in `90d`
	 * @return array what became of each backup; of a simulation its days
	 */
	public function prune($site = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_prune', $this->query('backup_later', 'prune', \func_get_args()));
		}
		$usage = 'backup:prune SITE OPTIONS';

		return $this->backupPerform(2, \func_get_args(), $usage, static function (Requester $requester, CoreClient $core) use ($site, $options): array {
			[$method, $params] = RetentionRequest::prune($requester->units(Arguments::site($site)), $options);

			return $method === 'prune' ? $core->long($method, $params) : $core->call($method, $params);
		});
	}

	/**
	 * Bring what is in the repository to the copies that `backups.copies` names
	 *
	 * @param string|null $copy    name of a copy; `all` or null: all of them
	 * @param array|null  $options
	 * @return array what became of each copy
	 */
	public function copy($copy = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_copy', $this->query('backup_later', 'copy', \func_get_args()));
		}
		$usage = 'backup:copy COPY OPTIONS';

		return $this->backupPerform(2, \func_get_args(), $usage, static function (Requester $requester, CoreClient $core) use ($copy, $options): array {
			return $core->long('copy', RetentionRequest::copy($copy, $options));
		});
	}

	/**
	 * Keep a backup whatever the rules of retention say
	 *
	 * @param string      $snapshot its id, or with a site `latest` or a time
	 * @param string      $reason   why, for those who find it later
	 * @param string|null $until    when it ends by itself: `2027-06-30`, `6 months`; else when it is released
	 * @param string|null $site     whose backup, where it is not named by its id
	 * @return array what is held, and until when
	 */
	public function hold($snapshot = null, $reason = null, $until = null, $site = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_hold', $this->query('backup_hold', ...\func_get_args()));
		}
		$usage = 'backup:hold BACKUP REASON UNTIL SITE, as in: backup:hold latest \'court order\' null site12';

		return $this->backupPerform(4, \func_get_args(), $usage, static function (Requester $requester, CoreClient $core) use ($snapshot, $reason, $until, $site): array {
			$params = RetentionRequest::snapshot($requester, $snapshot, $site) + ['reason' => Arguments::text($reason, null, 'a reason, in words')];
			if ($until !== null) {
				$params['until'] = Arguments::text($until, null, 'the end of a hold: a day, or a length such as 6months; null for none');
			}

			return $core->call('hold', $params, self::SHORT_WAIT);
		});
	}

	/**
	 * End all holds of a backup
	 *
	 * @param string      $snapshot its id, or with a site `latest` or a time
	 * @param string|null $site     whose backup, where it is not named by its id
	 * @return array how many there were
	 */
	public function release($snapshot = null, $site = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_release', $this->query('backup_release', ...\func_get_args()));
		}
		$usage = 'backup:release BACKUP SITE';

		return $this->backupPerform(2, \func_get_args(), $usage, static function (Requester $requester, CoreClient $core) use ($snapshot, $site): array {
			return $core->call('release', RetentionRequest::snapshot($requester, $snapshot, $site), self::SHORT_WAIT);
		});
	}

	/**
	 * Say why a path is in the backups of a site, or is not
	 *
	 * @param string       $site site, or `system`
	 * @param string|array $path as in the backup: `shadow/var/www`, or a map with path or path_b64; it need not exist
	 * @return array included, and which rule decided
	 */
	public function explain($site = null, $path = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_explain', $this->query('backup_explain', ...\func_get_args()));
		}
		$usage = 'backup:explain SITE PATH';

		return $this->backupPerform(2, \func_get_args(), $usage, static function (Requester $requester, CoreClient $core) use ($site, $path): array {
			$unit = $requester->oneUnit(Arguments::site($site));

			return $core->call('explain', ['unit' => $unit, 'path' => BackupPath::ofRequester($requester, $path)], self::SHORT_WAIT);
		});
	}

	/**
	 * Tell for each site its last backup, and what is overdue, missing or damaged
	 *
	 * @return array status (ok, partial, damaged), problems with what to do, coverage, and each unit
	 */
	public function status(): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_status', $this->query('backup_status', ...\func_get_args()));
		}

		return $this->backupPerform(0, \func_get_args(), 'backup:status', static function (Requester $requester, CoreClient $core): array {
			return $core->call('status', []);
		});
	}

	/**
	 * Tell for each server that has backups in a repository how they stand
	 *
	 * @param array|null $options repository: where it is, in the stead of backups.destination; fromCopy; overdueAfter: how old the last backup of a
	 *                            unit may be (36 hours); sizes: also what each server takes, and whether its newest backups are there
	 * @return array status (ok, partial, damaged, failed) and each server, with what is overdue, failed, missing or damaged
	 */
	public function fleet_status($options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_fleet_status', $this->query('backup_fleet_status', ...\func_get_args()));
		}

		return $this->backupPerform(1, \func_get_args(), 'backup:fleet-status OPTIONS', static function (Requester $requester, CoreClient $core) use ($options): array {
			return $core->call('fleetStatus', IdentityRequest::fleet($options));
		});
	}

	/**
	 * Look at everything that backups need, and say what to do where something is wrong
	 *
	 * @return array status (ok, partial, failed) and the checks
	 */
	public function doctor(): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_doctor', $this->query('backup_doctor', ...\func_get_args()));
		}
		// A panel that lists its Scopes in another form, or not at all, tells nothing about ours.
		$all = array_filter((array)$this->scope_list(), 'is_string');
		$scopes = $all === [] ? [] : ['scopes' => array_values(preg_grep('/^backups\.[a-z0-9-]+$/', $all))];

		$hooked = $this instanceof \Opcenter\Contracts\Hookable;

		return $this->backupPerform(0, \func_get_args(), 'backup:doctor', static function (Requester $requester, CoreClient $core) use ($scopes, $hooked): array {
			return $core->call('doctor', ['module' => self::VERSION, 'hooked' => $hooked] + $scopes);
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
			return $this->backupAnswer('backup_version', $this->query('backup_version', ...\func_get_args()));
		}

		return ['module' => self::VERSION] + $this->backupPerform(0, \func_get_args(), 'backup:version', static function (Requester $requester, CoreClient $core): array {
			return $core->call('version', [], self::SHORT_WAIT);
		});
	}

	/**
	 * Give paths of a site as they were as one archive (tar in zstd), with ACLs and attributes
	 *
	 * The administrator names the site first: `site paths options`. A site's administrator gives `paths options`. `zstd -dc FILE | tar
	 * --xattrs --acls -x` brings it back.
	 *
	 * @param string|array|null $site    site (administrator), else the paths
	 * @param string|array|null $paths   as `backup:restore` takes them
	 * @param array|null        $options at (time or snapshot), to (a folder that gets the file; of a site a folder in the own home), pipe (a FIFO
	 *                                   that the panel reads, once), background
	 * @return array the file and when it is removed; or the job, and the pipe
	 */
	public function download($site = null, $paths = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_download', $this->query('backup_later', 'download', \func_get_args(), posix_geteuid()));
		}
		$given = \func_get_args();
		$reader = $this->reader;

		return $this->backupPerform(3, $given, 'backup:download', static function (Requester $requester, CoreClient $core) use ($given, $reader): array {
			return DownloadRequest::perform($requester, $core, $given, $reader);
		});
	}

	/**
	 * List jobs, the newest first: what works, waits or has ended
	 *
	 * @param array|null $options live: only those that have not ended; limit (jobs), after (`next` of the answer before)
	 * @return array jobs, each with job (its id), method, state, units and times, and next
	 */
	public function jobs($options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_jobs', $this->query('backup_jobs', ...\func_get_args()));
		}

		return $this->backupPerform(1, \func_get_args(), 'backup:jobs OPTIONS', static function (Requester $requester, CoreClient $core) use ($options): array {
			return $core->call('jobs', $requester->asViewer() + Options::read($options, ['live' => Options::FLAG] + Options::PAGES), self::SHORT_WAIT);
		});
	}

	/**
	 * Show how a job stands, and what came of it
	 *
	 * @param string $job its id, as the command that started it, or `backup:jobs`, told it
	 * @return array state (waiting, running, ok, partial, failed, damaged, cancelled), progress, result
	 */
	public function job($job = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_job', $this->query('backup_job', ...\func_get_args()));
		}

		return $this->backupOfJob('job', \func_get_args());
	}

	/**
	 * Have a job stop at its next safe point
	 *
	 * @param string $job its id
	 * @return array how it stands
	 */
	public function cancel($job = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_cancel', $this->query('backup_cancel', ...\func_get_args()));
		}

		return $this->backupOfJob('cancel', \func_get_args());
	}

	/**
	 * Show what a job told on the way
	 *
	 * @param string     $job     its id
	 * @param array|null $options limit (events), after (`next` of the answer before)
	 * @return array events, oldest first, and next
	 */
	public function log($job = null, $options = null): array
	{
		if (!IS_CLI) {
			return $this->backupAnswer('backup_log', $this->query('backup_log', ...\func_get_args()));
		}

		return $this->backupOfJob('log', \func_get_args(), ['limit' => Options::ROWS, 'after' => Options::NUMBER]);
	}

	/**
	 * Do what takes long for a caller who cannot wait for it: the front end of the panel comes here, and nobody else can
	 *
	 * @param string   $method    of this module
	 * @param array    $arguments those that it was called with
	 * @param int|null $reader    the user that reads a pipe
	 * @return array what the method answers
	 */
	public function later($method = null, $arguments = null, $reader = null): array
	{
		$roles = \in_array($method, self::LONG, true) ? $this->exportedFunctions[$method] : PRIVILEGE_NONE;
		if (!IS_CLI || !\is_array($arguments) || ($roles & $this->permission_level) === 0) {
			$failure = new Failure('bad_argument', ['argument' => Arguments::shown($method), 'expected' => 'for the panel itself']);
			$failure->report();

			return $failure->toResult();
		}
		$this->leavesWork = true;
		$this->reader = \is_int($reader) ? $reader : 0;
		try {
			return $this->{$method}(...array_values($arguments));
		} finally {
			$this->leavesWork = false;
			$this->reader = 0;
		}
	}

	/**
	 * Asks about one job.
	 *
	 * @param array<string, string> $kinds of the options that there are
	 */
	private function backupOfJob(string $method, array $given, array $kinds = []): array
	{
		$usage = "backup:{$method} JOB" . ($kinds === [] ? '' : ' OPTIONS');

		return $this->backupPerform($kinds === [] ? 1 : 2, $given, $usage, static function (Requester $requester, CoreClient $core) use ($method, $given, $kinds): array {
			$job = Arguments::text($given[0] ?? null, null, 'a job: its id, as backup:jobs lists it');

			return $core->call($method, ['job' => $job] + $requester->asViewer() + Options::read($given[1] ?? null, $kinds), self::SHORT_WAIT);
		});
	}

	/**
	 * Looks for something in the backups of one site.
	 *
	 * @param string   $method    of the core
	 * @param int      $most      how many arguments it takes
	 * @param array    $given     those that were passed
	 * @param string   $usage     the command as it is meant
	 * @param callable $arguments (): site, path inside the backup, options, further parameters, which the core checks
	 */
	private function backupSearch(string $method, int $most, array $given, string $usage, callable $arguments): array
	{
		return $this->backupPerform($most, $given, $usage, static function (Requester $requester, CoreClient $core) use ($method, $arguments): array {
			$params = SearchRequest::params($requester, $method, ...$arguments());

			return $requester->visibleResult($core->call($method, $params));
		});
	}

	/**
	 * A point in time as an argument.
	 *
	 * @param mixed $moment
	 * @throws Failure
	 */
	private static function backupMoment($moment, string $default): string
	{
		$expected = 'a time or a backup, such as latest, 2026-11-20 or \'yesterday 14:00\'';
		$text = Arguments::text($moment, $default, $expected);
		if (!Options::isMoment($text)) {
			throw new Failure('bad_argument', ['argument' => Arguments::shown($text), 'expected' => $expected]);
		}

		return $text;
	}

	/**
	 * Does the work in the backend and turns whatever comes of it into a result.
	 *
	 * @param int      $most  how many arguments the command takes
	 * @param array    $given those that were passed
	 * @param string   $usage the command as it is meant
	 * @param callable $work  (Requester, CoreClient): array
	 */
	private function backupPerform(int $most, array $given, string $usage, callable $work): array
	{
		// A file of the plugin that was damaged may be printed where it is loaded, in the middle of what the panel answers.
		ob_start();
		try {
			Arguments::noneBeyond($most, $given, $usage);
			if (posix_geteuid() !== 0) {
				throw new Failure('not_root', ['message' => 'the panel\'s backend is']);
			}
			$isAdmin = ($this->permission_level & PRIVILEGE_ADMIN) !== 0;
			if (!$isAdmin && $this->auth_is_demo()) {
				throw new Failure('demo', []);
			}
			$requester = new Requester(
				$isAdmin,
				(string)$this->site,
				(string)$this->domain,
				(string)$this->username,
				$isAdmin ? '' : rtrim((string)$this->domain_fs_path(), '/'),
				$isAdmin ? [] : (array)$this->site_get_account_quota()
			);
			$result = $requester->withoutNotices($work($requester, CoreClient::ofPanel()->forCaller((string)$this->username, $this->leavesWork)));
			Outcome::report($result);
		} catch (Failure $failure) {
			$failure->report();

			return $failure->toResult();
		} catch (\Error $defect) {
			// PHP's own words are for whoever mends this, not for the one who asked.
			error_log("apiscp-backup: {$defect}");
			$failure = new Failure('internal', ['message' => get_class($defect) . ' in ' . basename($defect->getFile()) . ', line ' . $defect->getLine()]);
			$failure->report();

			return $failure->toResult();
		} finally {
			ob_end_clean();
		}

		return $result;
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

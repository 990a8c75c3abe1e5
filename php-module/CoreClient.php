<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Asks the core one thing: JSON-RPC 2.0, one message a line, over the standard streams of `apiscp-backup rpc`.
 */
final class CoreClient
{
	private const PROGRAM = '/usr/libexec/apiscp-backup/apiscp-backup';
	/** `prlimit` starts the core without the file-size and address-space limits of the panel's broker. */
	private const PRLIMIT = '/usr/bin/prlimit';
	/** Seconds. A job is started in less than one. */
	private const START_WAIT = 30;
	/** Enough for a person; the rest is counted. The core keeps all of it in its own records. */
	private const KEPT_LOG_LINES = 100;
	private const ENVIRONMENT = [
		'PATH' => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
		'HOME' => '/root',
		'LANG' => 'C.UTF-8',
	];

	/** A line of a terminal, empty, from its beginning. */
	private const CLEARED = "\r\033[K";

	/** @var bool whether a line says how far it is */
	private $isShowing = false;
	/** @var string */
	private $program;
	/** @var string|null null leaves the choice to the core */
	private $settingsFile;
	/** @var bool whether a job does what takes long, unless the caller says otherwise */
	private $leavesWork = false;
	/** @var string the login of whoever asks, for the records of jobs */
	private $login = '';

	public function __construct(string $program, ?string $settingsFile)
	{
		$this->program = $program;
		$this->settingsFile = $settingsFile;
	}

	/**
	 * The core where the panel's configuration says it is (`[apiscp_backup] core=` and `config=`, which the panel makes
	 * constants), else where the package puts it.
	 */
	public static function ofPanel(): self
	{
		return new self(
			\defined('APISCP_BACKUP_CORE') ? (string)\constant('APISCP_BACKUP_CORE') : self::PROGRAM,
			\defined('APISCP_BACKUP_CONFIG') ? (string)\constant('APISCP_BACKUP_CONFIG') : null
		);
	}

	/** The same client for a caller, who may have a connection open that does not last as long as the work. */
	public function forCaller(string $login, bool $leavesWork): self
	{
		$client = clone $this;
		$client->login = $login;
		$client->leavesWork = $leavesWork;

		return $client;
	}

	/**
	 * Asks for what can take long. With the option `background`, or for callers who cannot wait without it, the answer is the job that does it.
	 *
	 * @throws Failure
	 */
	public function long(string $method, array $params): array
	{
		$background = $params['background'] ?? $this->leavesWork;
		unset($params['background']);
		// A trial of a repair reads everything that a repair reads.
		$isShort = !empty($params['dryRun']) && $method !== 'repair';
		if (!$background || $isShort) {
			return $this->call($method, $params);
		}
		$login = $this->login === '' ? [] : ['user' => $this->login];

		return $this->call('start', ['method' => $method, 'request' => (object)$params] + $login, self::START_WAIT);
	}

	/**
	 * Asks and waits for the answer.
	 *
	 * @param string   $method   of the core
	 * @param array    $params   by name
	 * @param int|null $patience seconds to wait; null for work whose length nobody knows
	 * @return array the result, fit to be shown (see Presentable); with `log` when the core had something to say
	 * @throws Failure what the core answered, or why there is no answer
	 */
	public function call(string $method, array $params, ?int $patience = null): array
	{
		try {
			$request = json_encode(
				['jsonrpc' => '2.0', 'id' => 1, 'method' => $method, 'params' => (object)$params],
				JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE
			);
		} catch (\JsonException $e) {
			throw new Failure('usage', ['message' => 'an argument is not UTF-8']);
		}
		$process = new CoreProcess($this->command(), self::ENVIRONMENT);
		$answered = false;
		try {
			$process->send($request);
			$answer = $this->awaitAnswer($process, $patience === null ? null : microtime(true) + $patience);
			$answered = true;
		} finally {
			$status = $process->end(!$answered);
			$this->show(null);
		}
		if ($answer === null) {
			$complaints = $process->complaints();
			throw new Failure('core_silent', ['message' => "exit status {$status}" . ($complaints === '' ? '' : ", {$complaints}")]);
		}

		return Presentable::result($answer);
	}

	/**
	 * @return array|null the result with the log; null when the core ended first
	 * @throws Failure
	 */
	private function awaitAnswer(CoreProcess $process, ?float $deadline): ?array
	{
		$log = [];
		$omitted = 0;
		while (($line = $process->readLine($deadline)) !== null) {
			$message = json_decode($line, true, 128);
			if (!\is_array($message) || ($message['jsonrpc'] ?? null) !== '2.0') {
				throw new Failure('core_garbage', ['message' => substr($line, 0, 200)]);
			}
			if (isset($message['method'])) {
				if ($message['method'] === 'log' && \count($log) < self::KEPT_LOG_LINES) {
					$log[] = $message['params'] ?? [];
				} elseif ($message['method'] === 'log') {
					$omitted++;
				} elseif ($message['method'] === 'progress') {
					$this->show($message['params'] ?? []);
				}
				continue;
			}
			if (\is_array($message['error'] ?? null)) {
				throw Failure::fromAnswer($message['error']);
			}
			if (($message['id'] ?? null) !== 1 || !\is_array($message['result'] ?? null)) {
				throw new Failure('core_garbage', ['message' => substr($line, 0, 200)]);
			}

			return $message['result'] + ($log === [] ? [] : ['log' => $log, 'logOmitted' => $omitted]);
		}

		return null;
	}

	/** Shows a person at a terminal how far it is, on one line that the next one takes the place of; null takes the last one away. */
	private function show(?array $progress): void
	{
		if ($progress === null && !$this->isShowing) {
			return;
		}
		if (!\defined('STDERR') || !stream_isatty(\STDERR)) {
			return;
		}
		$this->isShowing = $progress !== null;
		if ($progress === null) {
			fwrite(\STDERR, self::CLEARED);

			return;
		}
		$share = ($progress['entriesTotal'] ?? 0) > 0 ? ' of ' . (int)$progress['entriesTotal'] : '';
		$progress += ['unit' => '', 'phase' => '', 'entries' => 0, 'bytes' => 0];
		$text = "{$progress['unit']}: {$progress['phase']}, {$progress['entries']}{$share} entries, " . (int)($progress['bytes'] / 1048576) . ' MiB';
		fwrite(\STDERR, self::CLEARED . Presentable::text($text));
	}

	/**
	 * @return string[]
	 * @throws Failure
	 */
	private function command(): array
	{
		if (!is_file($this->program) || !is_executable($this->program)) {
			throw new Failure('core_missing', ['message' => $this->program]);
		}
		$command = [self::trusted($this->program), 'rpc'];
		if ($this->settingsFile !== null) {
			array_push($command, '--config', self::trusted($this->settingsFile));
		}

		return is_executable(self::PRLIMIT)
			? array_merge([self::PRLIMIT, '--fsize=unlimited', '--as=unlimited', '--'], $command)
			: $command;
	}

	/**
	 * The path without links, of a file that nobody but root can change or replace. The panel's configuration, which names these
	 * files, belongs to an unprivileged user; so every folder above counts, too, and what was looked at is what is used: along the
	 * path that is returned root alone can put something else in a place.
	 *
	 * @throws Failure `core_untrusted`
	 */
	private static function trusted(string $file): string
	{
		if (posix_geteuid() !== 0) {
			return $file;
		}
		$real = realpath($file);
		if ($real === false) {
			// Made between here and its use, it would not have been looked at: its folder has to be root's.
			$folder = realpath(\dirname($file));
			$real = $folder === false ? $file : "{$folder}/" . basename($file);
		}
		$places = explode('/', trim($real, '/'));
		for ($depth = 0; $depth <= \count($places); $depth++) {
			$place = '/' . implode('/', \array_slice($places, 0, $depth));
			clearstatcache(true, $place);
			$status = @lstat($place);
			if ($status === false && $depth === \count($places) && \dirname($place) !== '/') {
				break;
			}
			self::requireRoots($place, $status, $depth < \count($places));
		}

		return $real;
	}

	/**
	 * @param array|false $status
	 * @throws Failure
	 */
	private static function requireRoots(string $place, $status, bool $isAbove): void
	{
		if ($status === false) {
			throw new Failure('core_untrusted', ['message' => "{$place} cannot be looked at"]);
		}
		// In a folder such as /tmp nobody takes away or renames what is another's.
		$isGuarded = $isAbove && ($status['mode'] & 01000) !== 0;
		$isLink = ($status['mode'] & 0170000) === 0120000;
		if ($status['uid'] !== 0 || $isLink || (($status['mode'] & 0022) !== 0 && !$isGuarded)) {
			throw new Failure('core_untrusted', ['message' => "{$place} can be changed by others than root"]);
		}
	}
}

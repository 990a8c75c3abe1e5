<?php
declare(strict_types=1);

/** The broker: a worker that keeps root while the front end gives it up, reached over two pipes. */
class Backend
{
	private const NOBODY = 65534;

	/** @var resource */
	private static $process;
	/** @var resource[] */
	private static $pipes;

	/** Starts the worker; must come before the privileges are dropped. */
	public static function start(): void
	{
		$worker = [PHP_BINARY, INCLUDE_PATH . 'bin/backend-worker'];
		self::$process = proc_open($worker, [['pipe', 'r'], ['pipe', 'w'], STDERR], self::$pipes);
	}

	/** Uses a broker that runs already; whichever of its workers is free answers. */
	public static function connect(string $socket): void
	{
		$stream = stream_socket_client("unix://{$socket}");
		self::$pipes = [$stream, $stream];
	}

	/** Answers calls until the caller is gone. */
	public static function serve($input, $output): void
	{
		while (($line = fgets($input)) !== false) {
			[$command, $arguments, $context] = unserialize(base64_decode($line, true));
			$result = apnscpFunctionInterceptor::factory($context)->call($command, $arguments, true);
			@fwrite($output, base64_encode(serialize([$result, Error_Reporter::flush_buffer()])) . "\n");
		}
	}

	public static function dropPrivileges(): void
	{
		if (posix_geteuid() !== 0) {
			throw new RuntimeException('the stand-in for the front end must be started as root: it shows the way from nobody to root');
		}
		posix_initgroups('nobody', self::NOBODY);
		posix_setgid(self::NOBODY);
		posix_setuid(self::NOBODY);
	}

	/** @return mixed what the command returned there; null when the worker ended first */
	public static function call(string $command, array $arguments, Auth_Info_User $context)
	{
		$sent = @fwrite(self::$pipes[0], base64_encode(serialize([$command, $arguments, $context])) . "\n");
		$line = $sent === false ? false : fgets(self::$pipes[1]);
		if ($line === false) {
			return null;
		}
		[$result, $messages] = unserialize(base64_decode($line, true));
		Error_Reporter::merge_buffer($messages);

		return $result;
	}
}

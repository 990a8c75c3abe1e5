<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * The core as a child process that speaks in lines. Started from an array, so no shell sees any argument; its three
 * streams are separate and never block one another; it is always reaped.
 */
final class CoreProcess
{
	/** Longest line that is accepted, in bytes: an answer is bounded by pages, so a longer one is a defect. */
	private const LONGEST_LINE = 16 * 1024 * 1024;
	/** How much of the end of stderr is kept for an error message, in bytes. */
	private const KEPT_OF_STDERR = 2048;
	/** Time to leave by itself after its input ended, and again after SIGTERM, before SIGKILL. */
	private const SECONDS_TO_LEAVE = 5.0;
	private const SIGTERM = 15;
	private const SIGKILL = 9;

	/** @var resource */
	private $process;
	/** @var array<int, resource> open pipes by descriptor number of the child */
	private $pipes;
	/** @var string bytes that are still to be written */
	private $outgoing = '';
	/** @var string bytes read, not yet handed out as lines */
	private $incoming = '';
	/** @var int how much of `$incoming` is known to hold no line end */
	private $searched = 0;
	/** @var string the end of what came on stderr */
	private $complaints = '';

	/**
	 * @param string[] $command     program (absolute path) and arguments
	 * @param array    $environment all that the child gets
	 * @throws Failure `core_missing`
	 */
	public function __construct(array $command, array $environment)
	{
		$process = @proc_open($command, [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $this->pipes, '/', $environment);
		if (!\is_resource($process)) {
			throw new Failure('core_missing', ['message' => $command[0]]);
		}
		$this->process = $process;
		foreach ($this->pipes as $pipe) {
			stream_set_blocking($pipe, false);
		}
	}

	/** Queues a line; it is written while answers are read, so that two full pipes cannot wait for each other. */
	public function send(string $line): void
	{
		$this->outgoing .= $line . "\n";
	}

	/**
	 * The next line of stdout without its end.
	 *
	 * @param float|null $deadline as microtime(true); null waits as long as the child lives
	 * @return string|null null when stdout ended (an unfinished last line is dropped: it cannot be a message)
	 * @throws Failure `core_garbage` for a line beyond the limit, `core_silent` when the deadline passes
	 */
	public function readLine(?float $deadline): ?string
	{
		for (;;) {
			$end = strpos($this->incoming, "\n", $this->searched);
			if ($end !== false) {
				$line = substr($this->incoming, 0, $end);
				$this->incoming = (string)substr($this->incoming, $end + 1);
				$this->searched = 0;

				return $line;
			}
			$this->searched = \strlen($this->incoming);
			if ($this->searched > self::LONGEST_LINE) {
				throw new Failure('core_garbage', ['message' => 'a line longer than ' . self::LONGEST_LINE . ' bytes']);
			}
			if (!isset($this->pipes[1])) {
				return null;
			}
			if ($deadline !== null && microtime(true) >= $deadline) {
				throw new Failure('core_silent', ['message' => 'it took too long'], [], true);
			}
			$this->exchange($deadline);
		}
	}

	/**
	 * Ends the child and reaps it: by the end of its input, or at once with a signal; by force when it does not go.
	 *
	 * @param bool $atOnce whether it is interrupted in what it does
	 * @return int its exit status
	 */
	public function end(bool $atOnce): int
	{
		$this->outgoing = '';
		$this->close(0);
		$signals = [self::SIGTERM, self::SIGKILL];
		if ($atOnce) {
			proc_terminate($this->process, array_shift($signals));
		}
		$status = $this->awaitExit();
		while ($status['running'] && $signals !== []) {
			proc_terminate($this->process, array_shift($signals));
			$status = $this->awaitExit();
		}
		array_map([$this, 'close'], [1, 2]);
		$closed = proc_close($this->process);

		return $status['running'] ? $closed : ($status['signaled'] ? 128 + $status['termsig'] : $status['exitcode']);
	}

	/** What the child said last on stderr. */
	public function complaints(): string
	{
		return trim($this->complaints);
	}

	/** Waits for the exit, reading on so that the child is not held up by a full pipe. */
	private function awaitExit(): array
	{
		$deadline = microtime(true) + self::SECONDS_TO_LEAVE;
		for (;;) {
			$status = proc_get_status($this->process);
			if (!$status['running'] || microtime(true) >= $deadline) {
				return $status;
			}
			$this->incoming = '';
			if ($this->pipes === []) {
				usleep(5000);
			} else {
				$this->exchange(microtime(true) + 0.05);
			}
		}
	}

	/** Waits until a stream is ready or the deadline is near, then writes and reads what can be. */
	private function exchange(?float $deadline): void
	{
		$readable = array_intersect_key($this->pipes, [1 => true, 2 => true]);
		$writable = $this->outgoing !== '' && isset($this->pipes[0]) ? [$this->pipes[0]] : [];
		$except = [];
		$wait = $deadline === null ? null : max(0.0, $deadline - microtime(true));
		$seconds = $wait === null ? null : (int)$wait;
		$microseconds = $wait === null ? 0 : (int)(($wait - (int)$wait) * 1e6);
		// False means that a signal came: the caller looks again.
		if (@stream_select($readable, $writable, $except, $seconds, $microseconds) === false) {
			return;
		}
		if ($writable !== []) {
			$this->write();
		}
		foreach ($readable as $descriptor => $pipe) {
			$this->read($descriptor);
		}
	}

	private function write(): void
	{
		$written = @fwrite($this->pipes[0], substr($this->outgoing, 0, 65536));
		if ($written === false) {
			// The child closed its input; its answer, or the lack of one, says why.
			$this->outgoing = '';
			$this->close(0);

			return;
		}
		$this->outgoing = (string)substr($this->outgoing, $written);
	}

	private function read(int $descriptor): void
	{
		$bytes = (string)fread($this->pipes[$descriptor], 65536);
		if ($descriptor === 1) {
			$this->incoming .= $bytes;
		} else {
			$this->complaints = (string)substr($this->complaints . $bytes, -self::KEPT_OF_STDERR);
		}
		if ($bytes === '' && feof($this->pipes[$descriptor])) {
			$this->close($descriptor);
		}
	}

	private function close(int $descriptor): void
	{
		if (isset($this->pipes[$descriptor])) {
			fclose($this->pipes[$descriptor]);
			unset($this->pipes[$descriptor]);
		}
	}
}

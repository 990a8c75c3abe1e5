<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * A request that was refused or went wrong. It never leaves this folder: the module turns it into a message and a
 * result, because ApisCP's modules report and do not throw.
 */
final class Failure extends \RuntimeException
{
	/** @var string one of the codes that `Messages` has a pair for */
	private $failureCode;

	/** @var array<string, string> what fills the placeholders of the message */
	private $arguments;

	/** @var string[] what was concerned */
	private $affected;

	/** @var bool whether the same call can succeed later */
	private $retry;

	public function __construct(string $failureCode, array $arguments, array $affected = [], bool $retry = false)
	{
		parent::__construct($failureCode);
		$this->failureCode = $failureCode;
		$this->arguments = $arguments;
		$this->affected = $affected;
		$this->retry = $retry;
	}

	/**
	 * The failure in an error object of JSON-RPC; one without the core's own data is a defect on one of the two sides.
	 *
	 * @param array $error the member `error` of an answer
	 */
	public static function fromAnswer(array $error): self
	{
		$data = \is_array($error['data'] ?? null) ? $error['data'] : [];
		$text = self::asCommands(self::text($data['message'] ?? $error['message'] ?? null));
		$advice = self::asCommands(self::text($data['advice'] ?? null));
		// -32602 is JSON-RPC's own "invalid params": what was asked is wrong, nothing was done.
		$code = self::text($data['code'] ?? null) ?: (($error['code'] ?? null) === -32602 ? 'usage' : 'internal');
		// Of invalid params the data says which value it is.
		$affected = $data['affected'] ?? $data['path'] ?? [];

		return new self(
			$code,
			['message' => trim($text . ($advice === '' ? '' : ' - ' . $advice))],
			array_values(array_map([self::class, 'text'], (array)$affected)),
			($data['retry'] ?? false) === true
		);
	}

	public function is(string $failureCode): bool
	{
		return $this->failureCode === $failureCode;
	}

	/** The same with another code, whose message has this one's in it. */
	public function as(string $failureCode, array $arguments): self
	{
		return new self($failureCode, $arguments + $this->arguments + ['message' => $this->failureCode], $this->affected, $this->retry);
	}

	/** Shows the failure as the panel shows errors. */
	public function report(): void
	{
		Reply::error(Messages::forCode($this->failureCode), array_map([Presentable::class, 'text'], $this->arguments));
	}

	/**
	 * The failure as the result of a command.
	 *
	 * @return array{status: string, error: array}
	 */
	public function toResult(): array
	{
		$affected = array_map([Presentable::class, 'text'], $this->affected);

		return [
			'status' => 'failed',
			'error' => [
				'code' => $this->failureCode,
				'message' => Presentable::text(Reply::fill(Messages::forCode($this->failureCode), $this->arguments)),
				'affected' => $affected,
				'retry' => $this->retry,
			] + Presentable::exactBytes('affected', $this->affected, $affected),
		];
	}

	/** The core gives advice to whoever calls its program; here the same is said in commands of the panel. */
	private static function asCommands(string $advice): string
	{
		$advice = (string)preg_replace('/`apiscp-backup ([a-z]+)([^`]*)`/', '`cpcmd backup:$1$2`', $advice);
		$advice = (string)preg_replace('~--trust (SHA256:[A-Za-z0-9+/]+)~', '\'[trust:"$1"]\'', $advice);

		return strtr($advice, [
			'--dry-run' => '[dryRun:true]',
			'--yes' => '[yes:true]',
			'--recreate' => '[recreate:true]',
			'--unit site12' => 'the site as the last argument',
			'--to' => '[to:FOLDER]',
			'--path-b64' => '[path_b64:BASE64]',
		]);
	}

	private static function text($value): string
	{
		return \is_scalar($value) ? (string)$value : '';
	}
}

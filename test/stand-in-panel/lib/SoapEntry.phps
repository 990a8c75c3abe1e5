<?php
declare(strict_types=1);

/** Takes the calls of one SOAP request; an error that the caller asked to be thrown becomes the fault. */
class SoapEntry
{
	/** @var apnscpFunctionInterceptor */
	private $entry;

	public function __construct(Auth_Info_User $context)
	{
		$this->entry = apnscpFunctionInterceptor::factory($context);
	}

	public function __call(string $command, array $arguments)
	{
		try {
			return $this->entry->call($command, $arguments, false);
		} catch (apnscpException $fault) {
			throw new SoapFault('Server', $fault->getMessage());
		}
	}
}

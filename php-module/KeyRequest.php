<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Turns the options of `backup:init` and `backup:keys` into parameters of the core. Recipients are public and may be given as they are; a
 * secret comes only in a file of root, named by its path, because what stands in a call can be read in lists of processes and in logs.
 */
final class KeyRequest
{
	private const COMMON = ['recipients' => Options::RECIPIENTS, 'passphraseFile' => Options::SECRET, 'serverCanRead' => Options::FLAG];

	/**
	 * @param mixed $options
	 * @return array parameters
	 * @throws Failure
	 */
	public static function init($options): array
	{
		return Options::read($options, self::COMMON + ['newServer' => Options::FLAG]);
	}

	/**
	 * @param mixed $options none shows who can read the backups
	 * @return array parameters
	 * @throws Failure
	 */
	public static function keys($options): array
	{
		return Options::read($options, self::COMMON + ['removeRecipients' => Options::RECIPIENTS, 'removePassphrase' => Options::FLAG, 'plain' => Options::FLAG]);
	}
}

<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Turns the arguments of `backup:fleet-status`, `backup:adopt`, `backup:join` and `backup:forget` into requests of the core. Only the administrator gets
 * here. An account that is gone is not known to the panel any more, so it is named as the core names it.
 */
final class IdentityRequest
{
	private const ACCOUNT = '/^site[1-9][0-9]{0,8}$/D';
	private const UNIT = '/^site[1-9][0-9]{0,8}-[0-9a-f]{8}$/D';

	/**
	 * @param mixed $options
	 * @return array parameters
	 * @throws Failure
	 */
	public static function fleet($options): array
	{
		return Options::read($options, ['repository' => Options::PLACE, 'overdueAfter' => Options::DURATION, 'sizes' => Options::FLAG] + Options::WHERE);
	}

	/**
	 * @param mixed $server
	 * @param mixed $options
	 * @return array parameters
	 * @throws Failure
	 */
	public static function adopt($server, $options): array
	{
		$server = Arguments::text($server, null, 'a server, by its name or id');

		return ['server' => $server] + Options::read($options, ['yes' => Options::FLAG]);
	}

	/**
	 * @param mixed $unit
	 * @return array parameters
	 * @throws Failure
	 */
	public static function unit($unit): array
	{
		$meant = 'the id of an earlier account, such as site12-1f3a9c2e';
		$id = Arguments::text($unit, null, $meant);
		if (preg_match(self::UNIT, $id) !== 1) {
			throw new Failure('bad_argument', ['argument' => Arguments::shown($unit), 'expected' => $meant]);
		}

		return ['unit' => $id];
	}

	/**
	 * @param mixed $site
	 * @return array parameters
	 * @throws Failure
	 */
	public static function gone($site): array
	{
		$meant = 'an account, such as site12';
		$name = Arguments::text($site, null, $meant);
		if (preg_match(self::UNIT, $name) !== 1 && preg_match(self::ACCOUNT, $name) !== 1) {
			throw new Failure('bad_argument', ['argument' => Arguments::shown($site), 'expected' => $meant]);
		}

		return ['unit' => $name];
	}
}

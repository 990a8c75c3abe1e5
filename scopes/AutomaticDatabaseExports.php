<?php
declare(strict_types=1);

namespace ApiscpBackup;

use Opcenter\Admin\Settings\SettingsInterface;

/**
 * `backups.automatic-database-exports` for panels that are older than their own Scope of this name: whether the panel exports databases every
 * night. It is the variable of Bootstrapper that was documented before. `boot.php` takes the panel's own where there is one; so this class
 * has not the panel's name, under which it could stand in the way of that.
 */
class AutomaticDatabaseExports implements SettingsInterface
{
	private const SCOPE = 'backups.automatic-database-exports';
	/** True: the panel leaves databases to others. */
	private const VARIABLE = 'manual_database_backups';
	/** What puts the variable into effect. */
	private const ROLE = 'apnscp/crons';

	/** @param mixed $val true, false, or null for the default */
	public function set($val): bool
	{
		$wanted = $val ?? $this->getDefault();
		if (!\is_bool($wanted) || \func_num_args() > 1) {
			$shown = implode(' ', array_map([Arguments::class, 'shown'], \func_get_args()));
			(new Failure('bad_setting', ['scope' => self::SCOPE, 'value' => $shown, 'example' => 'true or false']))->report();

			return false;
		}
		if ($this->get() === $wanted) {
			return true;
		}
		$config = new \Opcenter\Admin\Bootstrapper\Config();
		$config[self::VARIABLE] = !$wanted;
		$config->sync();
		\Opcenter\Admin\Bootstrapper::run(self::ROLE);

		return true;
	}

	/** The value in force; null where it cannot be told, as without privileges. */
	public function get()
	{
		try {
			$config = new \Opcenter\Admin\Bootstrapper\Config();
			$isManual = isset($config[self::VARIABLE]) && filter_var($config[self::VARIABLE], FILTER_VALIDATE_BOOLEAN);

			return !$isManual;
		} catch (\Throwable $unreadable) {
			error_log('apiscp-backup: ' . $unreadable->getMessage());

			return null;
		}
	}

	public function getHelp(): string
	{
		return 'Whether the panel exports databases every night by itself. Backups with the method stream need no such exports.';
	}

	public function getValues()
	{
		return 'bool';
	}

	public function getDefault()
	{
		return true;
	}
}

<?php
declare(strict_types=1);

namespace ApiscpBackup;

use Opcenter\Admin\Settings\SettingsInterface;

/**
 * A Scope that is one setting of the core. The core owns the settings file, its schema and its defaults; a Scope only
 * asks and passes on. Each Scope names its setting, its help, what values it takes and its default.
 */
abstract class SettingScope implements SettingsInterface
{
	/** Name of the Scope, for messages. */
	const SCOPE = '';
	/** Name of the setting in the core. */
	const SETTING = '';
	/** What the Scope takes, for messages. */
	const EXAMPLE = '';
	/** The default, for when the core cannot be asked. */
	const DEFAULT = null;

	/** Seconds for an answer of the core; the panel's editor waits for it. */
	private const PATIENCE = 30;

	/**
	 * Whether a value, as the panel parses it, is of the type that the setting takes. What it says is the core's to judge.
	 *
	 * @param mixed $val
	 */
	abstract protected function accepts($val): bool;

	/**
	 * Changes the setting; null goes back to the default. Setting what is set already does nothing.
	 *
	 * @param mixed $val
	 */
	public function set($val): bool
	{
		try {
			if (\func_num_args() > 1) {
				throw $this->refusal(\func_get_args());
			}
			if ($val !== null && !$this->accepts($val)) {
				throw $this->refusal([$val]);
			}
			if ($val === null || $this->isOther($val)) {
				$this->core()->call('settings.set', ['name' => static::SETTING, 'value' => $val], self::PATIENCE);
			}
		} catch (Failure $failure) {
			$failure->report();

			return false;
		}

		return true;
	}

	/**
	 * The value in force, null when nobody can tell it, which root is told: a guess is never shown as the value. Never throws:
	 * `scope:info` asks as an unprivileged user, who may not read the settings file.
	 */
	public function get()
	{
		try {
			return $this->ask()['value'] ?? $this->getDefault();
		} catch (Failure $failure) {
			if (posix_geteuid() === 0) {
				$failure->as('setting_unknown', ['scope' => static::SCOPE])->report();
			}
		} catch (\Throwable $defect) {
			error_log('apiscp-backup: ' . $defect->getMessage());
		}

		return null;
	}

	/** @param array $given what was to be set */
	private function refusal(array $given): Failure
	{
		$value = implode(' ', array_map([Arguments::class, 'shown'], $given));

		return new Failure('bad_setting', ['scope' => static::SCOPE, 'value' => $value, 'example' => static::EXAMPLE]);
	}

	/**
	 * Whether a value is another than the one in force. Where that cannot be told, the core decides whether it can be set.
	 *
	 * @param mixed $val
	 */
	private function isOther($val): bool
	{
		try {
			return $this->ask()['value'] !== $val;
		} catch (Failure $unreadable) {
			return true;
		}
	}

	/** The default of the core. */
	public function getDefault()
	{
		return static::DEFAULT;
	}

	/**
	 * What the core says of the setting.
	 *
	 * @return array with `value`
	 * @throws Failure
	 */
	private function ask(): array
	{
		return $this->core()->call('settings.get', ['name' => static::SETTING], self::PATIENCE) + ['value' => null];
	}

	private function core(): CoreClient
	{
		return CoreClient::ofPanel();
	}
}

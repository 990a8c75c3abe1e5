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
	protected const PATIENCE = 30;
	/** Whether the Scope is a part of the setting, whose rest it leaves. */
	protected const IS_PART = false;
	/** Whether null goes back to the default. */
	protected const TAKES_NULL = true;
	/** Whether an empty list is a value, although the panel's command line leaves one where a variable is not set: true where it loses nothing. */
	protected const TAKES_NOTHING = false;

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
			if (!($val === null && static::TAKES_NULL) && !$this->accepts($val)) {
				throw $this->refusal([$val]);
			}
			$emptied = static::TAKES_NOTHING && $val === [] ? null : Arguments::firstEmptied($val);
			// What `get` tells can be set.
			if ($emptied !== null && $val !== $this->get()) {
				throw $this->refusal([$val])->as('setting_emptied', ['name' => $emptied]);
			}
			$this->change($val);
		} catch (Failure $failure) {
			$failure->report();

			return false;
		} catch (\Error $defect) {
			// A part of the plugin is missing, or was cut.
			error_log("apiscp-backup: {$defect}");
			(new Failure('internal', ['message' => get_class($defect) . ' in ' . basename($defect->getFile()) . ', line ' . $defect->getLine()]))->report();

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
			return $this->shown($this->ask()['value']) ?? $this->getDefault();
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
	protected function refusal(array $given): Failure
	{
		$value = implode(' ', array_map([Arguments::class, 'shown'], $given));

		return new Failure('bad_setting', ['scope' => static::SCOPE, 'value' => $value, 'example' => static::EXAMPLE]);
	}

	/**
	 * Changes the setting where it is another.
	 *
	 * @param mixed $val
	 * @throws Failure
	 */
	protected function change($val): void
	{
		if ($val === null && !static::IS_PART) {
			$this->core()->call('settings.set', ['name' => static::SETTING, 'value' => null], self::PATIENCE);

			return;
		}
		try {
			$answer = $this->ask();
		} catch (Failure $unreadable) {
			// What is broken is told by the core, when it cannot be mended by this value.
			$answer = ['value' => null, 'default' => null, 'unreadable' => $unreadable];
		}
		$wanted = $this->merged($val, $answer);
		if ($wanted === null || $answer['value'] !== $wanted) {
			$this->put($wanted);
		}
	}

	/**
	 * What the core refuses is told with an example of what it takes.
	 *
	 * @param mixed $wanted
	 * @throws Failure
	 */
	private function put($wanted): void
	{
		try {
			$this->core()->call('settings.set', ['name' => static::SETTING, 'value' => $wanted], self::PATIENCE);
		} catch (Failure $refused) {
			throw $refused->is('usage') ? $refused->as('setting_refused', ['example' => static::EXAMPLE]) : $refused;
		}
	}

	/**
	 * The value of the Scope in the value of the setting.
	 *
	 * @param mixed $setting
	 * @return mixed
	 */
	protected function shown($setting)
	{
		return $setting;
	}

	/**
	 * The value of the setting with that of the Scope.
	 *
	 * @param mixed $val
	 * @param array $answer of the core: `value` and `default` of the setting; `unreadable` why it could not say them
	 * @return mixed
	 */
	protected function merged($val, array $answer)
	{
		return $val;
	}

	/** The default of the core. */
	public function getDefault()
	{
		return static::DEFAULT;
	}

	/**
	 * What the core says of the setting.
	 *
	 * @return array with `value` and `default`
	 * @throws Failure
	 */
	protected function ask(): array
	{
		return $this->core()->call('settings.get', ['name' => static::SETTING], self::PATIENCE) + ['value' => null, 'default' => null];
	}

	protected function core(): CoreClient
	{
		return CoreClient::ofPanel();
	}
}

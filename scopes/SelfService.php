<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.self-service`: what accounts may ask for by themselves. The core has it among its limits; this is that part of them.
 */
class SelfService extends SettingScope
{
	const SCOPE = 'backups.self-service';
	const SETTING = 'limits';
	const EXAMPLE = 'a map, such as \'[interval:6hours,share:0.05]\'';
	protected const IS_PART = true;
	const DEFAULT = ['interval' => '1 hour', 'share' => 0.1];

	/** Names here and in the core. */
	private const KEYS = ['interval' => 'ownerInterval', 'share' => 'ownerShare'];

	public function getHelp(): string
	{
		return 'What accounts may ask for by themselves: interval (an account is backed up for its owner no sooner than this after its last backup) and ' .
			'share (the share of the free room in the repository that one such backup may take). A key that is left out has its default.';
	}

	public function getValues()
	{
		return 'array';
	}

	protected function accepts($val): bool
	{
		return \is_array($val) && $val !== [] && array_diff_key($val, self::KEYS) === [];
	}

	protected function shown($setting)
	{
		$shown = [];
		foreach (self::KEYS as $here => $inCore) {
			$shown[$here] = $setting[$inCore] ?? self::DEFAULT[$here];
		}

		return $shown;
	}

	protected function merged($val, array $answer)
	{
		if (isset($answer['unreadable'])) {
			// What else is in there would be lost.
			throw $answer['unreadable'];
		}
		// Of a setting that stands nowhere the other keys are not written down either.
		$before = $answer['value'] === $answer['default'] ? [] : (array)$answer['value'];
		$others = array_diff_key($before, array_flip(self::KEYS));
		foreach ((array)$val as $here => $value) {
			$others[self::KEYS[$here]] = $value;
		}

		return $others === [] ? null : $others;
	}
}

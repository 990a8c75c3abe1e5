<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.recovery`: how much recovery data is stored beside what is backed up, by which `backup:repair` heals what a disk has lost.
 */
class Recovery extends SettingScope
{
	const SCOPE = 'backups.recovery';
	const SETTING = 'recovery';
	const EXAMPLE = 'a map, such as \'[percent:5]\'';
	const DEFAULT = ['percent' => 0];

	public function getHelp(): string
	{
		return 'Recovery data beside each backup: "percent" (0 to 100) of its size, by which backup:repair heals what a disk has lost. 0: none. ' .
			'It takes that much room more, and some time.';
	}

	public function getValues()
	{
		return 'array';
	}

	protected function accepts($val): bool
	{
		return \is_array($val) && $val !== [];
	}
}

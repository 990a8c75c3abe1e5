<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.schedule`: which level a backup takes on which day.
 */
class Schedule extends SettingScope
{
	const SCOPE = 'backups.schedule';
	const SETTING = 'schedule';
	const EXAMPLE = 'a map, such as [rules:[[weekdays:[sunday],level:full],[level:incremental]],maxFullAge:1month]';
	const DEFAULT = [
		'rules' => [
			['weekdays' => ['sunday'], 'weeksOfMonth' => [1], 'level' => 'full'],
			['weekdays' => ['sunday'], 'level' => 'differential'],
			['level' => 'incremental'],
		],
		'maxFullAge' => '2 months',
	];

	public function getHelp(): string
	{
		return 'Which level of backup is taken on which day: "rules", of which the first one that fits the day decides (level, weekdays, weeksOfMonth), ' .
			'and "maxFullAge", after which a full is taken on any day.';
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

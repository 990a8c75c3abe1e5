<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.schedule`: when the server is backed up, which level a backup takes on which day, and what follows it.
 */
class Schedule extends SettingScope
{
	const SCOPE = 'backups.schedule';
	const SETTING = 'schedule';
	const EXAMPLE = 'a map, such as \'[time:"03:30",rules:[[weekdays:[sunday],level:full],[level:incremental]],maxFullAge:1month]\'';
	const DEFAULT = [
		'rules' => [
			['weekdays' => ['sunday'], 'weeksOfMonth' => [1], 'level' => 'full'],
			['weekdays' => ['sunday'], 'level' => 'differential'],
			['level' => 'incremental'],
		],
		'maxFullAge' => '2 months',
		'time' => '01:30',
		'prune' => true,
		'verifyWithin' => '1 month',
	];

	public function getHelp(): string
	{
		return 'When the server is backed up and what follows: "time" (a time of day, in quotes: \'[time:"03:30"]\'), "prune" (true or false), ' .
			'"verifyWithin" (in which time everything is read back once, or false). Which level is taken on which day: "rules", of which the first one that fits the day decides (level, weekdays, weeksOfMonth), ' .
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

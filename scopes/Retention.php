<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.retention`: how long backups are kept.
 */
class Retention extends SettingScope
{
	const SCOPE = 'backups.retention';
	const SETTING = 'retention';
	const EXAMPLE = 'a map of rules, such as \'[keepDaily:7,keepWeekly:4]\'';
	const DEFAULT = [
		'levels' => ['full' => '2 months', 'differential' => '20 days', 'incremental' => '4 days'],
		'guardShare' => 0.5,
	];

	public function getHelp(): string
	{
		return 'How long backups are kept; each as long as any rule wants it: levels (full, differential, incremental), keepWithin, keepLast, ' .
			'keepDaily, keepWeekly, keepMonthly, keepYearly. guardShare: the share of a site\'s backups that may go at once without confirmation. ' .
			'Without any rule all are kept.';
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

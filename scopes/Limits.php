<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.limits`: how backups give way to the sites.
 */
class Limits extends SettingScope
{
	const SCOPE = 'backups.limits';
	const SETTING = 'limits';
	const EXAMPLE = 'a map, such as \'[load:4,readRate:50MiB/s]\'';
	const DEFAULT = [
		'nice' => 10,
		'ioClass' => 'best-effort',
		'ioLevel' => 7,
		'wait' => 60,
		'ownerInterval' => '1 hour',
		'ownerShare' => 0.1,
		'downloadsFor' => '2 days',
	];

	public function getHelp(): string
	{
		return 'How backups give way to the sites: nice (0 to 19), ioClass (best-effort or idle), ioLevel (0 to 7), workers (maximum number of threads), ' .
			'readRate and sendRate (such as "50 MiB/s"), connections (maximum number of requests at once to a distant repository), ' .
			'load (a backup pauses while the load of the last minute is above it), ' .
			'wait (minutes for which a backup waits for another one), ownerInterval and ownerShare (how often an account may ask for its backup, ' .
			'and how much of the repository that may take). ' .
			'A key that is left out has its default; the default of a rate and of the load is no limit.';
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

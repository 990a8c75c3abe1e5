<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.exclude`: what backups leave out.
 */
class Exclude extends SettingScope
{
	const SCOPE = 'backups.exclude';
	const SETTING = 'exclude';
	const EXAMPLE = 'a list of patterns, such as [cache/,\'*.tmp\']';
	const SHIPPED = [];

	public function getHelp(): string
	{
		return 'Patterns of what backups leave out, in the manner of .gitignore, on paths such as shadow/var/www. The last that fits decides. ' .
			'"cpcmd backup:explain SITE PATH" tells what they do to a path.';
	}

	public function getValues()
	{
		return 'array';
	}

	protected function accepts($val): bool
	{
		return \is_array($val) && array_filter($val, 'is_string') === array_values($val);
	}
}

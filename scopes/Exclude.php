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
	const EXAMPLE = 'a list of patterns, such as "[cache/,\'*.tmp\']"';
	const DEFAULT = [];
	/** Without patterns more is backed up. */
	protected const TAKES_NOTHING = true;

	public function getHelp(): string
	{
		return 'Patterns of the paths that backups exclude, in the manner of .gitignore, such as /shadow/var/www/*/cache/. The last that fits decides. ' .
			'"cpcmd backup:explain SITE PATH" says which pattern decides about a path.';
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

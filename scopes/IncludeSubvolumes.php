<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.include-subvolumes`: whether btrfs subvolumes inside accounts are backed up with them.
 */
class IncludeSubvolumes extends SettingScope
{
	const SCOPE = 'backups.include-subvolumes';
	const SETTING = 'includeSubvolumes';
	const EXAMPLE = 'true or false';
	const DEFAULT = false;

	public function getHelp(): string
	{
		return 'Whether btrfs subvolumes inside accounts are backed up with them. Otherwise they are skipped, and each run names them.';
	}

	public function getValues()
	{
		return 'bool';
	}

	protected function accepts($val): bool
	{
		return \is_bool($val);
	}
}

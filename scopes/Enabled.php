<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.enabled`: whether the server is backed up by itself.
 */
class Enabled extends SettingScope
{
	const SCOPE = 'backups.enabled';
	const SETTING = 'enabled';
	const EXAMPLE = 'true or false';
	const DEFAULT = true;

	public function getHelp(): string
	{
		return 'Whether the whole server is backed up by itself, at the time of day in "backups.schedule". Backups that somebody asks for are made in any case.';
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

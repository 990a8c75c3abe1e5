<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.rclone`: how a repository at `rclone:` is reached.
 */
class Rclone extends SettingScope
{
	const SCOPE = 'backups.rclone';
	const SETTING = 'rclone';
	const EXAMPLE = 'a map, such as \'[configFile:/root/.config/rclone/rclone.conf]\'';
	const DEFAULT = [];

	public function getHelp(): string
	{
		return 'How a repository at rclone:… is reached: configFile (the settings of rclone, with its keys). For the default say null.';
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

<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.destination`: where the repository is.
 */
class Destination extends SettingScope
{
	const SCOPE = 'backups.destination';
	const SETTING = 'repository';
	const EXAMPLE = 'a path from the root on, such as /srv/backups, or a location, such as \'s3:https://endpoint/bucket/prefix\' in quotes';
	const DEFAULT = '/var/backups/apiscp-backup';

	public function getHelp(): string
	{
		return 'Where backups are kept: a path, or s3:https://endpoint/bucket/prefix, sftp:user@host:/path or rclone:remote:path (backups.s3, backups.sftp and backups.rclone say how they are reached). The repository must have been made there with "cpcmd backup:init".';
	}

	public function getValues()
	{
		return 'string';
	}

	protected function accepts($val): bool
	{
		return \is_string($val);
	}
}

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
	const SHIPPED = '/var/lib/apiscp-backup/repository';

	public function getHelp(): string
	{
		return 'Where backups are kept: the path of the repository. The repository must have been created there with "apiscp-backup init".';
	}

	public function getValues()
	{
		return 'string';
	}

	protected function normalize($val)
	{
		return \is_string($val) && $val !== '' ? $val : null;
	}
}

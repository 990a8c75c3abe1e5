<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.notify`: who is told what became of the automatic backups.
 */
class Notify extends SettingScope
{
	const SCOPE = 'backups.notify';
	const SETTING = 'notify';
	const EXAMPLE = 'a map, such as \'[mail:[ops@example.com],argos:true]\'';
	const DEFAULT = ['mail' => true, 'argos' => false, 'always' => false];

	public function getHelp(): string
	{
		return 'Who is told what became of the automatic backups: "mail" (true for the administrator, false, or a list of addresses), "argos" ' .
			'(true or false), "always" (true: a night in which all went well, too), "webhooks" (a list of maps with "url" and "key"), ' .
			'"heartbeats" (a list of maps with "start", "success", "failure") and "metrics" (a file for Prometheus). Keys, and addresses ' .
			'that are secrets, stand in files of root alone, which are named here.';
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

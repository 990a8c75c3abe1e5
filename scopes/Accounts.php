<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.accounts`: what backups do when accounts come and go.
 */
class Accounts extends SettingScope
{
	const SCOPE = 'backups.accounts';
	const SETTING = 'accounts';
	const EXAMPLE = 'a map, such as \'[lastBackup:10,keepDeleted:"3 months"]\'';
	const DEFAULT = ['firstBackup' => true, 'lastBackup' => 5, 'keepDeleted' => '1 month'];

	public function getHelp(): string
	{
		return 'What backups do when accounts come and go: firstBackup (true: a new account is backed up soon, and does not wait for the night), ' .
			'lastBackup (minutes that a last backup may hold up the deletion of an account, 1 to 55; false: none is made), keepDeleted (how long ' .
			'that last backup is held whatever the rules of retention say, such as "1 month"; false: they decide). ' .
			'A key that is left out has its default.';
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

<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.databases`: how databases come into the backups.
 */
class Databases extends SettingScope
{
	const SCOPE = 'backups.databases';
	const SETTING = 'databases';
	const EXAMPLE = 'a map, such as \'[method:stream,timeLimit:120]\'';
	const DEFAULT = [
		'method' => 'stream',
		'timeLimit' => 240,
		'statementLimit' => 240,
	];

	public function getHelp(): string
	{
		return 'How databases come into the backups: method (stream: a dump of each goes from the server into the backup; panel: the panel\'s own export ' .
			'runs before the files; none), timeLimit (minutes for one dump, or for the panel\'s export), statementLimit (minutes for one statement of a restore), mysql (socket, credentials) and ' .
			'postgresql (socket, port, credentials), where these are elsewhere than usual. ' .
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

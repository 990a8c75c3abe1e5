<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.sftp`: how a repository at `sftp:` is reached.
 */
class Sftp extends SettingScope
{
	const SCOPE = 'backups.sftp';
	const SETTING = 'sftp';
	const EXAMPLE = 'a map, such as \'[identityFile:/root/.ssh/id_ed25519]\'';
	const DEFAULT = [];

	public function getHelp(): string
	{
		return 'How a repository at sftp:… is reached: identityFile (private key without a passphrase, of root alone), knownHostsFile (keys of the hosts that are known) ' .
			'and agent (the socket of an agent that has the key). A key never stands here, only the path of its file. For the defaults say null.';
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

<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\SettingScope;

/**
 * `backups.s3`: how a repository at `s3:` is reached.
 */
class S3 extends SettingScope
{
	const SCOPE = 'backups.s3';
	const SETTING = 's3';
	const EXAMPLE = 'a map, such as \'[credentialsFile:/etc/apiscp-backup/s3,region:eu-central-1]\'';
	const DEFAULT = [];

	public function getHelp(): string
	{
		return 'How a repository at s3:… is reached: credentialsFile (a file of root alone with the key; left out, the role of the machine), pruneCredentialsFile (the ' .
			'same with another key, by which prune deletes), profile (of that file), region, pathStyle (true or false), storageClass, serverSideEncryption, ' .
			'encryptionKey and objectLock (mode "governance" or "compliance", and days: so long nobody can delete what is stored). A key never stands here, only the path of its file. For the defaults say null.';
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

<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\Arguments;
use ApiscpBackup\SettingScope;

/**
 * `backups.copies`: other places that get what is in the repository.
 */
class Copies extends SettingScope
{
	const SCOPE = 'backups.copies';
	const SETTING = 'copies';
	const EXAMPLE = 'a list of maps, such as \'[[name:offsite,repository:/mnt/offsite]]\'';
	const DEFAULT = [];

	public function getHelp(): string
	{
		return 'Other places that get what is in the repository, after each automatic backup and by backup:copy; a list of maps with name, repository ' .
			'(a path, or a location such as "sftp:backup@example.com:/srv/copy") and, where they are needed, s3, sftp, rclone, retention (what this ' .
			'copy keeps), recipients (age1...: who alone reads this copy) and prune (false: the automatic backup deletes nothing there). Keys of stores stand in files of root alone, which are named here. For no copies say null.';
	}

	public function getValues()
	{
		return 'array';
	}

	/** An empty list is what the panel's command line leaves of one that ends with a variable which is not set. */
	protected function accepts($val): bool
	{
		return \is_array($val) && $val !== [] && Arguments::isList($val) && array_filter($val, 'is_array') === $val;
	}
}

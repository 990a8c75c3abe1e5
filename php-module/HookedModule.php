<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * The module where the panel tells modules what becomes of accounts. `boot.php` registers it in the place of its parent when `AccountHooks`
 * says that it fits. The panel enters these methods as the administrator of the account, after it made or changed one and before it deletes one.
 * Arguments are of no use here: as many are taken, of any type, as any panel is known to give, and one more.
 */
class HookedModule extends Backup_Module implements \Opcenter\Contracts\Hookable
{
	/** Services of the panel whose hooks come first. */
	const DEPENDENCY_MAP = ['siteinfo'];

	public function _verify_conf($first = null, $second = null, $third = null, $fourth = null): bool
	{
		return true;
	}

	/** A job makes the first backup: the panel waits for its start alone. */
	public function _create($first = null, $second = null, $third = null, $fourth = null)
	{
		return AccountHooks::tell('created', $this->site);
	}

	/** A new name is in the backups soon. */
	public function _edit($first = null, $second = null, $third = null, $fourth = null)
	{
		return $this->backupDomain('getOldServices') === $this->backupDomain('getNewServices') || AccountHooks::tell('renamed', $this->site);
	}

	/** The last backup, in the time that the Scope `backups.accounts` gives. */
	public function _delete($first = null, $second = null, $third = null, $fourth = null)
	{
		return AccountHooks::tell('deleting', $this->site);
	}

	public function _create_user($first = null, $second = null, $third = null, $fourth = null)
	{
		return true;
	}

	public function _edit_user($first = null, $second = null, $third = null, $fourth = null)
	{
		return true;
	}

	public function _delete_user($first = null, $second = null, $third = null, $fourth = null)
	{
		return true;
	}

	/** The domain in the metadata before or after a change; null where the panel has none, or not this way to it. */
	private function backupDomain(string $services): ?string
	{
		try {
			$siteinfo = method_exists($this, $services) ? $this->{$services}('siteinfo') : null;
		} catch (\Throwable $unknown) {
			return null;
		}

		return isset($siteinfo['domain']) ? (string)$siteinfo['domain'] : null;
	}
}

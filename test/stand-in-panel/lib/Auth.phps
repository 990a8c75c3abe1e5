<?php
declare(strict_types=1);

/** Whom a call acts for. */
class Auth_Info_User
{
	public $level;
	public $site = '';
	public $site_id = 0;
	public $domain = '';
	public $username;
	public $user_id = 0;
	public $group_id = 0;
	public $session_id = 'stand-in';
}

/** Accounts and sessions, read from the accounts' own files below STANDIN_ACCOUNTS_ROOT. */
class Auth
{
	/**
	 * Without a site the appliance's administrator; with one its administrator, or the named secondary user.
	 *
	 * @throws InvalidArgumentException for an unknown site
	 */
	public static function context(?string $user, ?string $siteOrDomain): Auth_Info_User
	{
		$context = new Auth_Info_User();
		if ($siteOrDomain === null) {
			$context->level = $user === 'reseller' ? PRIVILEGE_RESELLER : PRIVILEGE_ADMIN;
			$context->username = $user ?? 'admin';

			return $context;
		}
		$id = self::get_site_id_from_anything($siteOrDomain);
		if (!is_int($id)) {
			throw new InvalidArgumentException("unknown site {$siteOrDomain}");
		}
		$info = self::siteinfo($id);
		$context->site = "site{$id}";
		$context->site_id = $id;
		$context->domain = $info['domain'] ?? '';
		$context->username = $user ?? $info['admin_user'] ?? '';
		$context->level = $context->username === ($info['admin_user'] ?? '') ? PRIVILEGE_SITE : PRIVILEGE_USER;
		$context->group_id = (int)filegroup(STANDIN_ACCOUNTS_ROOT . "/site{$id}/shadow");

		return $context;
	}

	/**
	 * A site by domain, siteN or invoice.
	 *
	 * @param mixed $anything
	 * @return int|int[]|null several for an invoice that several sites share
	 */
	public static function get_site_id_from_anything($anything)
	{
		$matching = [];
		foreach (self::siteIds() as $id) {
			$info = self::siteinfo($id);
			if ($anything === "site{$id}" || $anything === ($info['domain'] ?? null)) {
				return $id;
			}
			if ($anything === ($info['invoice'] ?? null)) {
				$matching[] = $id;
			}
		}

		return count($matching) > 1 ? $matching : $matching[0] ?? null;
	}

	public static function get_domain_from_site_id(int $id): ?string
	{
		return self::siteinfo($id)['domain'] ?? null;
	}

	/** @return int[] */
	private static function siteIds(): array
	{
		$ids = [];
		foreach (scandir(STANDIN_ACCOUNTS_ROOT) as $name) {
			if (preg_match('/^site([1-9][0-9]*)$/D', $name, $match) === 1) {
				$ids[] = (int)$match[1];
			}
		}

		return $ids;
	}

	/** @return array<string, string> siteinfo and billing of the account */
	private static function siteinfo(int $id): array
	{
		$info = [];
		foreach (['siteinfo', 'billing'] as $service) {
			$file = STANDIN_ACCOUNTS_ROOT . "/site{$id}/info/current/{$service}";
			$info += is_file($file) ? parse_ini_file($file, false, INI_SCANNER_RAW) : [];
		}

		return $info;
	}
}

<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Who asks, and which units of the core that person may mean. A site's administrator is bound to the site of the
 * session; an argument never widens that.
 */
final class Requester
{
	/** A unit as the core names it: an account, or the locations of the whole server; or one that was before, by its id. */
	private const UNIT = '/^(?:site[1-9][0-9]{0,8}|system)(?:-[0-9a-f]{8})?$/D';
	private const SITE = '/^site[1-9][0-9]{0,8}$/D';

	/** @var bool */
	private $isAdmin;
	/** @var string `site12`, empty for the appliance's administrator */
	private $site;
	/** @var string */
	private $domain;
	/** @var string */
	private $username;
	/** @var string the account's root as the account sees it, mounted (`…/site12/fst`) */
	private $jail;

	/** @var array<string, int> what the account's quota leaves, `bytes` and `entries`; what is not limited is missing */
	private $room;

	/**
	 * @param array $quota of the panel, `qused` and `qhard` in KiB, `fused` and `fhard` in files; 0 is no limit
	 * @throws Failure when the session is neither the administrator's nor bound to a site
	 */
	public function __construct(bool $isAdmin, string $site, string $domain, string $username, string $jail, array $quota = [])
	{
		if (!$isAdmin && preg_match(self::SITE, $site) !== 1) {
			throw new Failure('site_unknown', ['site' => $site]);
		}
		$this->isAdmin = $isAdmin;
		$this->site = $site;
		$this->domain = $domain;
		$this->username = $username;
		$this->jail = $jail;
		$this->room = [];
		foreach (['bytes' => ['qhard', 'qused', 1024], 'entries' => ['fhard', 'fused', 1]] as $name => [$hard, $used, $unit]) {
			if (($quota[$hard] ?? 0) > 0) {
				$this->room[$name] = max(0, $quota[$hard] - ($quota[$used] ?? 0)) * $unit;
			}
		}
	}

	/** What a restore that an owner asks for may take: root writes it, whom quotas do not hold on every file system. */
	public function room(): array
	{
		return $this->isAdmin || $this->room === [] ? [] : ['room' => $this->room];
	}

	public function isOwner(): bool
	{
		return !$this->isAdmin;
	}

	/** What tells the core that an owner asks. */
	public function policy(): array
	{
		return $this->isAdmin ? [] : ['policy' => 'owner'];
	}

	/** Where the files of downloads go that nobody named a folder for. */
	public function downloads(): string
	{
		return "/home/{$this->username}/backup-downloads";
	}

	/** Whose jobs may be seen. */
	public function asViewer(): array
	{
		return $this->isAdmin ? [] : ['policy' => 'owner', 'unit' => $this->site];
	}

	/** An owner's result: what the core had to say besides is about the whole repository, other customers' backups too. */
	public function withoutNotices(array $result): array
	{
		return $this->isAdmin ? $result : array_diff_key($result, ['log' => true, 'logOmitted' => true]);
	}

	/**
	 * The units that an argument stands for.
	 *
	 * @param string|null $site `siteN`, a domain, whatever else the panel knows a site by, a unit of the core, `all`; nothing,
	 *                          which a caller may have passed by mistake, is never the whole server
	 * @return string[]|null null for the whole server
	 * @throws Failure
	 */
	public function units(?string $site): ?array
	{
		$wanted = (string)$site;
		if (!$this->isAdmin) {
			$own = ['', $this->site, substr($this->site, \strlen('site')), $this->domain];
			if (!\in_array($wanted, $own, true)) {
				throw new Failure('other_site', ['site' => Arguments::shown($wanted)]);
			}

			return [$this->site];
		}
		if ($wanted === '') {
			throw new Failure('all_needed', []);
		}
		if ($wanted === 'all') {
			return null;
		}
		if (preg_match(self::UNIT, $wanted) === 1) {
			return [$wanted];
		}
		$found = self::sitesOf($wanted);
		if ($found === []) {
			throw new Failure('site_unknown', ['site' => Arguments::shown($wanted)]);
		}

		return $found;
	}

	/**
	 * What an argument of `backup:list` stands for, as parameters of the core. A domain that no site has any more is one that an account had
	 * when it was backed up.
	 *
	 * @throws Failure
	 */
	public function listed(?string $site): array
	{
		$wanted = (string)$site;
		if ($this->isAdmin && strpos($wanted, '.') !== false && self::sitesOf($wanted) === []) {
			return ['domain' => $wanted];
		}

		return array_filter(['unit' => $this->unit($site === null && $this->isAdmin ? 'all' : $site)]);
	}

	/**
	 * The sites that the panel knows by a domain, an invoice or the like.
	 *
	 * @return string[]
	 */
	private static function sitesOf(string $wanted): array
	{
		return array_map(static function ($id): string {
			return 'site' . (int)$id;
		}, array_values(array_filter((array)\Auth::get_site_id_from_anything($wanted))));
	}

	/**
	 * The one unit that an argument stands for, null for the whole server.
	 *
	 * @throws Failure
	 */
	public function unit(?string $site): ?string
	{
		$units = $this->units($site);
		if ($units !== null && \count($units) > 1) {
			throw new Failure('site_ambiguous', ['site' => (string)$site, 'candidates' => implode(', ', $units)]);
		}

		return $units[0] ?? null;
	}

	/**
	 * The same where the whole server cannot be meant.
	 *
	 * @throws Failure
	 */
	public function oneUnit(?string $site): string
	{
		$unit = $this->isAdmin && (string)$site === '' ? null : $this->unit($site);
		if ($unit === null) {
			throw new Failure('site_needed', []);
		}

		return $unit;
	}

	/**
	 * The snapshots that an owner may know of: a site's number is given to another customer after a deletion, and what was
	 * before is not the new owner's. Whatever does not say that it is of today's site is left out.
	 *
	 * @param array $result of the core's `list`
	 */
	public function visibleSnapshots(array $result): array
	{
		if ($this->isAdmin) {
			return $result;
		}
		$own = array_filter($result['snapshots'] ?? [], function ($snapshot): bool {
			return ($snapshot['unit'] ?? null) === $this->site && ($snapshot['current'] ?? null) === true;
		});

		return ['snapshots' => array_values($own)] + $result;
	}

	/**
	 * A result about one unit, which an owner gets only when it says that it is of today's site; as above.
	 *
	 * @throws Failure
	 */
	public function visibleResult(array $result): array
	{
		if (!$this->isAdmin && (($result['unit'] ?? null) !== $this->site || ($result['current'] ?? null) !== true)) {
			throw new Failure('unit_unknown', ['message' => "{$this->site} has no backups yet"]);
		}

		return $result;
	}

	/**
	 * Where an owner's restore to another place goes: a folder that does not exist yet, directly in the own home; a download also to one that
	 * is there. So
	 * nothing of the account is between the home and the target that could be a link.
	 *
	 * @param string $target as the account sees it, `/home/user/restored`
	 * @return string the same place as the server sees it
	 * @throws Failure
	 */
	public function folderInHome(string $target, bool $isNew = true): string
	{
		$home = '/home/' . $this->username;
		$name = (string)substr($target, \strlen($home) + 1);
		$isPlainName = !\in_array($name, ['', '.', '..'], true) && strcspn($name, "/\0") === \strlen($name);
		$realHome = $this->jail . $home;
		$place = "{$realHome}/{$name}";
		$isFree = is_dir($realHome) && !is_link($realHome) && !is_link($place) && ($isNew ? !file_exists($place) : !file_exists($place) || is_dir($place));
		if ($this->username === '' || strpos($target, $home . '/') !== 0 || !$isPlainName || !$isFree) {
			throw new Failure('owner_target', ['home' => $home, 'path' => $target]);
		}

		return "{$realHome}/{$name}";
	}
}

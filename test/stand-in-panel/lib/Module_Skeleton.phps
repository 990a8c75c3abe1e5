<?php
declare(strict_types=1);

/** What every module inherits: the session it acts for, the account's paths, other commands, and the hop to root. */
class Module_Skeleton
{
	public $permission_level;
	public $site;
	public $site_id;
	public $domain;
	public $username;
	public $user_id;
	public $group_id;
	public $session_id;

	protected $exportedFunctions = [];

	/** @var Auth_Info_User */
	private $context;

	/** @var array */
	private $former = [];

	public function __construct()
	{
	}

	/** Any other command, as `$this->module_method()`: a new entry, checked against the role. */
	public function __call(string $command, array $arguments)
	{
		return apnscpFunctionInterceptor::factory($this->context)->call($command, $arguments, false);
	}

	public function setContext(Auth_Info_User $context): void
	{
		$this->context = $context;
		$this->permission_level = $context->level;
		$this->site = $context->site;
		$this->site_id = $context->site_id;
		$this->domain = $context->domain;
		$this->username = $context->username;
		$this->user_id = $context->user_id;
		$this->group_id = $context->group_id;
		$this->session_id = $context->session_id;
	}

	public function getAuthContext(): Auth_Info_User
	{
		return $this->context;
	}

	public function setFormerServices(array $siteinfo): void
	{
		$this->former = $siteinfo;
	}

	public function getOldServices(string $service): array
	{
		return $this->former + $this->getNewServices($service);
	}

	public function getNewServices(string $service): array
	{
		return $service === 'siteinfo' ? ['domain' => $this->domain] : [];
	}

	public function getExportedFunctions(): array
	{
		return $this->exportedFunctions;
	}

	public function domain_fs_path(string $rel = ''): string
	{
		return $this->accountPath('fst', $rel);
	}

	public function domain_shadow_path(): string
	{
		return $this->accountPath('shadow', '');
	}

	public function domain_info_path(string $rel = ''): string
	{
		return $this->accountPath('info', $rel);
	}

	/**
	 * Sends a command to the backend, which enters it again as root; null when the worker died.
	 *
	 * @return mixed
	 */
	protected function query(string $command, ...$arguments)
	{
		return IS_CLI
			? apnscpFunctionInterceptor::factory($this->context)->call($command, $arguments, true)
			: Backend::call($command, $arguments, $this->context);
	}

	private function accountPath(string $tree, string $rel): string
	{
		return STANDIN_ACCOUNTS_ROOT . "/{$this->site}/{$tree}" . ($rel === '' ? '' : '/' . ltrim($rel, '/'));
	}
}

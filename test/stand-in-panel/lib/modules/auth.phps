<?php
declare(strict_types=1);

class Auth_Module extends Module_Skeleton
{
	protected $exportedFunctions = ['*' => PRIVILEGE_ALL];

	/** Whether this is the account that visitors try the panel with. */
	public function is_demo(): bool
	{
		return defined('STANDIN_DEMO_SITE') && $this->site === STANDIN_DEMO_SITE;
	}
}

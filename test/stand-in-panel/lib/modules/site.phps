<?php
declare(strict_types=1);

class Site_Module extends Module_Skeleton
{
	protected $exportedFunctions = ['*' => PRIVILEGE_SITE];

	/** In KiB and files, 0 for none; from the account's info/quota.json, where a test puts it. */
	public function get_account_quota(): array
	{
		$file = $this->domain_info_path('quota.json');
		$set = is_file($file) ? json_decode(file_get_contents($file), true) : [];

		return $set + ['qused' => 0, 'qsoft' => 0, 'qhard' => 0, 'fused' => 0, 'fsoft' => 0, 'fhard' => 0];
	}
}

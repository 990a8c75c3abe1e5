<?php
declare(strict_types=1);

namespace Opcenter\Contracts;

/** What a module implements that wants to hear of accounts; all of it, as published. */
interface Hookable
{
	public function _verify_conf(\Opcenter\Service\ConfigurationContext $ctx): bool;

	public function _create();

	public function _delete();

	public function _edit();

	public function _create_user(string $user);

	public function _delete_user(string $user);

	public function _edit_user(string $userold, string $usernew, array $oldpwd);
}

<?php
declare(strict_types=1);

use Opcenter\Admin\Settings\Setting;
use Opcenter\Admin\Settings\SettingsInterface;

class Scope_Module extends Module_Skeleton
{
	protected $exportedFunctions = ['*' => PRIVILEGE_ADMIN];

	public function __construct()
	{
		parent::__construct();
		if (defined('AUTH_ADMIN_API') && !AUTH_ADMIN_API) {
			$this->exportedFunctions = ['*' => PRIVILEGE_NONE];
		}
	}

	/** Names of all Scopes. */
	public function list(): array
	{
		return Setting::names();
	}

	public function get(string $name, ...$selectors)
	{
		if (!IS_CLI) {
			return $this->query('scope_get', $name, ...$selectors);
		}
		$scope = $this->scope($name);

		return $scope === null ? false : $scope->get(...$selectors);
	}

	public function set(string $name, ...$values)
	{
		if (!IS_CLI) {
			return $this->query('scope_set', $name, ...$values);
		}
		if ($values === []) {
			return error("%s: no value given", $name);
		}
		$scope = $this->scope($name);

		return $scope === null ? false : $scope->set(...$values);
	}

	/** Stays in the front end: a Scope's get() may run without privileges. */
	public function info(string $name)
	{
		$scope = $this->scope($name);

		return $scope === null ? false : [
			'info' => $scope->getHelp(),
			'value' => $scope->get(),
			'settings' => $scope->getValues(),
			'default' => $scope->getDefault(),
		];
	}

	private function scope(string $name): ?SettingsInterface
	{
		$class = Setting::className($name);
		if ($class === null) {
			error("unknown scope `%s'", $name);

			return null;
		}

		return new $class();
	}
}

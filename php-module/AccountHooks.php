<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * What the panel's account hooks need. Whether the panel calls them in modules that add-ons register is not published; the scripts in
 * `config/custom/hooks` ask for the same, and asking twice does nothing twice.
 */
final class AccountHooks
{
	private const HOOKABLE = '\\Opcenter\\Contracts\\Hookable';
	private const MODULE = __NAMESPACE__ . '\\HookedModule';
	/** Of `HookedModule`, with the type that each promises. */
	private const METHODS = [
		'_verify_conf' => 'bool',
		'_create' => '',
		'_edit' => '',
		'_delete' => '',
		'_create_user' => '',
		'_edit_user' => '',
		'_delete_user' => '',
	];
	/** How many arguments each takes. */
	private const MOST_ARGUMENTS = 4;
	/** Seconds. The start of a job is quick; a last backup has its own limit, of 55 minutes at most. */
	private const PATIENCE = ['created' => 60, 'renamed' => 60, 'deleting' => 3600];

	/**
	 * The class of the module for this panel. PHP ends the process at a class that does not keep to its interface, so what the panel has is
	 * looked at before.
	 */
	public static function moduleClass(): string
	{
		return interface_exists(self::HOOKABLE) && self::fits() ? self::MODULE : Backup_Module::class;
	}

	/**
	 * Tells the core of an account. Never stops the panel and says nothing to the caller: what fails is in the log, and people are told by the core.
	 *
	 * @param mixed $site of the session
	 */
	public static function tell(string $event, $site): bool
	{
		try {
			if (posix_geteuid() !== 0 || preg_match('/^site[1-9][0-9]{0,8}$/D', (string)$site) !== 1) {
				throw new Failure('not_root', ['message' => 'the panel\'s backend is']);
			}
			CoreClient::ofPanel()->call('account', ['event' => $event, 'unit' => (string)$site, 'by' => 'module'], self::PATIENCE[$event]);
		} catch (Failure $failure) {
			error_log("apiscp-backup: {$site}, {$event}: " . $failure->toResult()['error']['message']);
		} catch (\Throwable $defect) {
			error_log("apiscp-backup: {$site}, {$event}: {$defect->getMessage()}");
		}

		return true;
	}

	private static function fits(): bool
	{
		$hookable = new \ReflectionClass(self::HOOKABLE);
		if (!$hookable->isInterface() || $hookable->hasConstant('DEPENDENCY_MAP')) {
			return false;
		}
		foreach ($hookable->getMethods() as $method) {
			if (!self::isKept($method)) {
				return false;
			}
		}
		foreach (array_keys(self::METHODS) as $name) {
			if (method_exists('Module_Skeleton', $name) && !self::isKept(new \ReflectionMethod('Module_Skeleton', $name))) {
				return false;
			}
		}

		return true;
	}

	/** Whether the module's method of this name can stand for one of the panel. */
	private static function isKept(\ReflectionMethod $method): bool
	{
		$promised = self::METHODS[$method->getName()] ?? null;
		$wanted = $method->getReturnType();
		$isOther = $method->isStatic() || $method->isFinal() || $method->returnsReference() || $method->getNumberOfParameters() > self::MOST_ARGUMENTS;
		if ($promised === null || $isOther) {
			return false;
		}
		foreach ($method->getParameters() as $parameter) {
			if ($parameter->isPassedByReference() || $parameter->isVariadic()) {
				return false;
			}
		}

		return $wanted === null || ($wanted instanceof \ReflectionNamedType && $wanted->getName() === $promised);
	}
}

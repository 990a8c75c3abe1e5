<?php

// No strict types here: `backup:run 12` arrives as a number and has to become the string that the method declares.

/** Where every command enters: finds the module, checks the role, calls the method. */
class apnscpFunctionInterceptor
{
	/** Classes that do not lie at lib/<class>.php, and what add-ons register. */
	private static $files = [
		'Auth_Info_User' => 'lib/Auth.php',
		'Auth_Module' => 'lib/modules/auth.php',
		'Misc_Module' => 'lib/modules/misc.php',
		'Scope_Module' => 'lib/modules/scope.php',
		'Site_Module' => 'lib/modules/site.php',
		'Opcenter\\Admin\\Bootstrapper' => 'lib/Opcenter/Bootstrapper.php',
		'Opcenter\\Admin\\Bootstrapper\\Config' => 'lib/Opcenter/BootstrapperConfig.php',
		'Opcenter\\Admin\\Settings\\Setting' => 'lib/Opcenter/Setting.php',
		'Opcenter\\Admin\\Settings\\SettingsInterface' => 'lib/Opcenter/SettingsInterface.php',
		'Opcenter\\Contracts\\Hookable' => 'lib/Opcenter/Hookable.php',
	];

	private static $modules = ['auth' => 'Auth_Module', 'misc' => 'Misc_Module', 'scope' => 'Scope_Module', 'site' => 'Site_Module'];

	/** @var Auth_Info_User */
	private $context;

	private function __construct(Auth_Info_User $context)
	{
		$this->context = $context;
	}

	public static function factory(Auth_Info_User $context): self
	{
		return new self($context);
	}

	/** Maps a class to a file, relative to the panel's home or with @custom/ for config/custom/. */
	public static function register(string $class, string $file): void
	{
		self::$files[$class] = preg_replace('#^@custom/#', 'config/custom/', $file);
	}

	public static function registerModule(string $name, string $class): void
	{
		self::$modules[$name] = $class;
	}

	public static function autoload(string $class): void
	{
		$file = INCLUDE_PATH . (self::$files[$class] ?? "lib/{$class}.php");
		if (is_file($file)) {
			require_once $file;
		}
	}

	public function __call(string $command, array $arguments)
	{
		return $this->call($command, $arguments, false);
	}

	/**
	 * @param string $command     module_method
	 * @param bool   $fromBackend whether it came over query()
	 * @return mixed what the command returns; false when it may not be called
	 */
	public function call(string $command, array $arguments, bool $fromBackend)
	{
		[$name, $method] = explode('_', $command, 2) + [1 => ''];
		$module = $this->module($name);
		if ($module === null || !self::isCommand($module, $method)) {
			return error("%s: command not found", $command);
		}
		if (!$this->mayCall($module, $method, $fromBackend)) {
			return error("%s: not permitted for this role", $command);
		}
		try {
			return $module->$method(...$arguments);
		} catch (TypeError $wrong) {
			// Only what the caller passed; a wrong type further inside is a defect.
			if (strpos($wrong->getMessage(), get_class($module) . "::{$method}()") === false) {
				throw $wrong;
			}

			return error("%s: %s", $command, $wrong->getMessage());
		}
	}

	/** @return array<string, ReflectionMethod> the commands of this role by name, `module:method` */
	public function commands(): array
	{
		$commands = [];
		foreach (array_keys(self::$modules) as $name) {
			$module = $this->module($name);
			foreach (get_class_methods($module) as $method) {
				if (self::isCommand($module, $method) && $this->mayCall($module, $method, false)) {
					$commands["{$name}:{$method}"] = new ReflectionMethod($module, $method);
				}
			}
		}

		return $commands;
	}

	/**
	 * Tells every module that wants to hear of accounts. Whether the panel does so with those of add-ons is not published.
	 *
	 * @param string|null $former the domain before a change
	 */
	public function tellModules(string $event, ?string $former): bool
	{
		foreach (array_keys(self::$modules) as $name) {
			$module = $this->module($name);
			if (!$module instanceof Opcenter\Contracts\Hookable) {
				continue;
			}
			$module->setFormerServices($former === null ? [] : ['domain' => $former]);
			$module->{'_' . $event}();
			echo "{$name} was told\n";
		}

		return true;
	}

	private function module(string $name): ?Module_Skeleton
	{
		if (!isset(self::$modules[$name])) {
			return null;
		}
		$module = new self::$modules[$name]();
		$module->setContext($this->context);

		return $module;
	}

	private static function isCommand(Module_Skeleton $module, string $method): bool
	{
		return $method !== ''
			&& $method[0] !== '_'
			&& is_callable([$module, $method])
			&& method_exists($module, $method)
			&& (new ReflectionMethod($module, $method))->getDeclaringClass()->getName() !== Module_Skeleton::class;
	}

	private function mayCall(Module_Skeleton $module, string $method, bool $fromBackend): bool
	{
		$exported = $module->getExportedFunctions();
		$roles = $exported[$method] ?? $exported['*'] ?? PRIVILEGE_NONE;
		if (($roles & PRIVILEGE_SERVER_EXEC) !== 0) {
			return $fromBackend;
		}

		return ($roles & $this->context->level) !== 0;
	}
}

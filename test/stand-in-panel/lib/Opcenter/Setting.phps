<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings;

/** The known Scopes, by the name that their class stands for: …\Backups\Destination is backups.destination. */
class Setting
{
	private static $classes = [];

	public static function register(string $class): void
	{
		[$group, $name] = \array_slice(explode('\\', $class), -2);
		self::$classes[self::kebab($group) . '.' . self::kebab($name)] = $class;
	}

	public static function className(string $name): ?string
	{
		return self::$classes[$name] ?? null;
	}

	/** @return string[] */
	public static function names(): array
	{
		return array_keys(self::$classes);
	}

	private static function kebab(string $studly): string
	{
		return strtolower(preg_replace('/(?<!^)[A-Z]/', '-$0', $studly));
	}
}

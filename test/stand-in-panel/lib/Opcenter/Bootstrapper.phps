<?php
declare(strict_types=1);

namespace Opcenter\Admin;

/** Puts variables into effect; here it only notes which role was run. */
class Bootstrapper
{
	public static function run(string ...$roles): bool
	{
		return file_put_contents(INCLUDE_PATH . 'bootstrapper.log', implode(' ', $roles) . "\n", FILE_APPEND) !== false;
	}
}

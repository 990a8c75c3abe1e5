<?php
declare(strict_types=1);

// Start of every process of the stand-in. Any notice, warning or deprecation is a failure: exit 70.

error_reporting(E_ALL);
ini_set('display_errors', 'stderr');
set_error_handler(static function (int $severity, string $message, string $file, int $line): bool {
	if ((error_reporting() & $severity) === 0) {
		return false;
	}
	throw new ErrorException($message, 0, $severity, $file, $line);
});
set_exception_handler(static function (Throwable $thrown): void {
	if ($thrown instanceof apnscpException) {
		fwrite(STDERR, 'FAULT: ' . $thrown->getMessage() . "\n");
		exit(2);
	}
	fwrite(STDERR, "UNCAUGHT: {$thrown}\n");
	exit(70);
});

// Home of the panel, with a slash at its end.
define('INCLUDE_PATH', dirname(__DIR__) . '/');

// Of the values only that of ADMIN is published. The others are unlike any guess, so that code which hard-codes one fails.
define('PRIVILEGE_NONE', 0);
define('PRIVILEGE_ADMIN', 8);
define('PRIVILEGE_SITE', 1 << 9);
define('PRIVILEGE_USER', 1 << 10);
define('PRIVILEGE_RESELLER', 1 << 11);
define('PRIVILEGE_SERVER_EXEC', 1 << 12);
define('PRIVILEGE_EXTAUTH', 1 << 13);
define('PRIVILEGE_ALL', PRIVILEGE_ADMIN | PRIVILEGE_SITE | PRIVILEGE_USER | PRIVILEGE_RESELLER);

if (!extension_loaded('posix')) {
	require __DIR__ . '/posix.php';
}
require __DIR__ . '/Error_Reporter.php';
require __DIR__ . '/macros.php';
require __DIR__ . '/apnscpFunctionInterceptor.php';
class_alias('apnscpFunctionInterceptor', 'a23r');
spl_autoload_register(['apnscpFunctionInterceptor', 'autoload']);

// An option of a section becomes a constant, as the panel does it with config.ini.
foreach (parse_ini_file(INCLUDE_PATH . 'config/custom/config.ini', true, INI_SCANNER_TYPED) as $section => $options) {
	foreach ($options as $name => $value) {
		define(strtoupper("{$section}_{$name}"), $value);
	}
}

if (defined('STANDIN_OWN_EXPORTS')) {
	apnscpFunctionInterceptor::register('Opcenter\\Admin\\Settings\\Backups\\AutomaticDatabaseExports', 'lib/Opcenter/AutomaticDatabaseExports.php');
	Opcenter\Admin\Settings\Setting::register('Opcenter\\Admin\\Settings\\Backups\\AutomaticDatabaseExports');
}

require INCLUDE_PATH . 'config/custom/boot.php';

<?php
declare(strict_types=1);

/*
 * Tells what of the plugin is missing in a folder, or was cut or damaged on its way there: php check-plugin.php FOLDER. What has to be there stands in
 * the plugin's own boot.php. Ends with 1 when it has told something.
 */

$folder = $argv[1];
preg_match_all('~\'((?:php-module|scopes)/\w+\.php)\'~', (string)@file_get_contents("{$folder}/php-module/boot.php"), $named);
$problems = $named[1] === [] ? ['php-module/boot.php names no files'] : [];
foreach (array_merge($named[1], ['php-module/boot.php', 'php-module/boot-fragment.php']) as $file) {
	$code = @file_get_contents("{$folder}/{$file}");
	try {
		token_get_all((string)$code, TOKEN_PARSE);
		if (trim((string)$code) === '') {
			$problems[] = "{$file} is missing or empty";
		}
	} catch (\Throwable $failure) {
		$problems[] = "{$file}: {$failure->getMessage()}";
	}
}
echo implode("\n", $problems);
exit($problems === [] ? 0 : 1);

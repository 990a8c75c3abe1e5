<?php
// >>> apiscp-backup
if (is_file(__DIR__ . '/apiscp-backup/php-module/boot.php')) {
	include_once __DIR__ . '/apiscp-backup/php-module/boot.php';
}
// <<< apiscp-backup

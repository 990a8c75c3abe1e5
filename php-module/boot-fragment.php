<?php
// >>> apiscp-backup
if (\defined('INCLUDE_PATH') && \is_file(\INCLUDE_PATH . '/config/custom/apiscp-backup/php-module/boot.php')) {
	try {
		include_once \INCLUDE_PATH . '/config/custom/apiscp-backup/php-module/boot.php';
	} catch (\Throwable $apiscpBackupFailure) {
		\error_log('apiscp-backup is not available: ' . $apiscpBackupFailure->getMessage());
	}
}
// <<< apiscp-backup

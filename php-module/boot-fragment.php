<?php
// >>> apiscp-backup
if (\defined('INCLUDE_PATH') && \is_file(\INCLUDE_PATH . '/config/custom/apiscp-backup/php-module/boot.php')) {
	// What is left of a damaged file may be printed, which would be in each answer of the panel.
	\ob_start();
	try {
		include_once \INCLUDE_PATH . '/config/custom/apiscp-backup/php-module/boot.php';
	} catch (\Throwable $apiscpBackupFailure) {
		\error_log('apiscp-backup is not available: ' . $apiscpBackupFailure->getMessage());
	} finally {
		\ob_end_clean();
	}
}
// <<< apiscp-backup

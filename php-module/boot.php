<?php
declare(strict_types=1);

/**
 * Makes the module `backup` and the Scopes `backups.*` known to the panel. Included by config/custom/boot.php at the
 * start of every request, so it may run twice and must never stop the panel: whatever fails is logged and left.
 */
(static function (string $plugin): void {
	try {
		if (!class_exists('apnscpFunctionInterceptor') || !method_exists('apnscpFunctionInterceptor', 'registerModule')) {
			return;
		}
		// The panel maps classes to files by their path below its own home.
		$home = realpath(INCLUDE_PATH) . '/';
		$folder = 'config/custom/apiscp-backup';
		if (strpos($plugin, $home) === 0) {
			$folder = substr($plugin, strlen($home));
		} elseif (realpath($home . $folder) !== $plugin) {
			// Where config/custom is a link to elsewhere, the plugin is below the home by that name.
			throw new \RuntimeException("{$plugin} is not below {$home}");
		}
		$classes = [
			'ApiscpBackup\\Arguments' => 'php-module/Arguments.php',
			'ApiscpBackup\\BackupPath' => 'php-module/BackupPath.php',
			'ApiscpBackup\\Backup_Module' => 'php-module/Backup_Module.php',
			'ApiscpBackup\\CoreClient' => 'php-module/CoreClient.php',
			'ApiscpBackup\\CoreProcess' => 'php-module/CoreProcess.php',
			'ApiscpBackup\\DatabaseRequest' => 'php-module/DatabaseRequest.php',
			'ApiscpBackup\\Failure' => 'php-module/Failure.php',
			'ApiscpBackup\\Messages' => 'php-module/Messages.php',
			'ApiscpBackup\\Options' => 'php-module/Options.php',
			'ApiscpBackup\\Outcome' => 'php-module/Outcome.php',
			'ApiscpBackup\\Presentable' => 'php-module/Presentable.php',
			'ApiscpBackup\\Reply' => 'php-module/Reply.php',
			'ApiscpBackup\\Requester' => 'php-module/Requester.php',
			'ApiscpBackup\\RestoreRequest' => 'php-module/RestoreRequest.php',
			'ApiscpBackup\\IdentityRequest' => 'php-module/IdentityRequest.php',
			'ApiscpBackup\\RetentionRequest' => 'php-module/RetentionRequest.php',
			'ApiscpBackup\\SearchRequest' => 'php-module/SearchRequest.php',
			'ApiscpBackup\\SettingScope' => 'scopes/SettingScope.php',
			'Opcenter\\Admin\\Settings\\Backups\\Databases' => 'scopes/Databases.php',
			'Opcenter\\Admin\\Settings\\Backups\\Destination' => 'scopes/Destination.php',
			'Opcenter\\Admin\\Settings\\Backups\\Enabled' => 'scopes/Enabled.php',
			'Opcenter\\Admin\\Settings\\Backups\\Exclude' => 'scopes/Exclude.php',
			'Opcenter\\Admin\\Settings\\Backups\\IncludeSubvolumes' => 'scopes/IncludeSubvolumes.php',
			'Opcenter\\Admin\\Settings\\Backups\\Limits' => 'scopes/Limits.php',
			'Opcenter\\Admin\\Settings\\Backups\\Notify' => 'scopes/Notify.php',
			'Opcenter\\Admin\\Settings\\Backups\\Retention' => 'scopes/Retention.php',
			'Opcenter\\Admin\\Settings\\Backups\\Schedule' => 'scopes/Schedule.php',
		];
		foreach ($classes as $class => $file) {
			\apnscpFunctionInterceptor::register($class, "{$folder}/{$file}");
		}
		\apnscpFunctionInterceptor::registerModule('backup', 'ApiscpBackup\\Backup_Module');
		if (class_exists('Opcenter\\Admin\\Settings\\Setting')) {
			foreach (['Databases', 'Destination', 'Enabled', 'Exclude', 'IncludeSubvolumes', 'Limits', 'Notify', 'Retention', 'Schedule'] as $scope) {
				\Opcenter\Admin\Settings\Setting::register("Opcenter\\Admin\\Settings\\Backups\\{$scope}");
			}
		}
	} catch (\Throwable $failure) {
		error_log('apiscp-backup is not available: ' . $failure->getMessage());
	}
})((string)realpath(dirname(__DIR__)));

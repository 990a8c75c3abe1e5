<?php
declare(strict_types=1);

/**
 * Makes the module `backup` and the Scopes `backups.*` known to the panel. Included by config/custom/boot.php at the
 * start of every request, so it may run twice and must never stop the panel: whatever fails is logged and left. A class is made known only
 * after it was loaded, because a file that is missing or was cut would stop the panel later, where it lists its commands or Scopes.
 */
(static function (string $plugin): void {
	$log = static function (string $problem): void {
		error_log("apiscp-backup is not available: {$problem}");
	};
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
			'ApiscpBackup\\AccountHooks' => 'php-module/AccountHooks.php',
			'ApiscpBackup\\Arguments' => 'php-module/Arguments.php',
			'ApiscpBackup\\AutomaticDatabaseExports' => 'scopes/AutomaticDatabaseExports.php',
			'ApiscpBackup\\BackupPath' => 'php-module/BackupPath.php',
			'ApiscpBackup\\Backup_Module' => 'php-module/Backup_Module.php',
			'ApiscpBackup\\CoreClient' => 'php-module/CoreClient.php',
			'ApiscpBackup\\CoreProcess' => 'php-module/CoreProcess.php',
			'ApiscpBackup\\DatabaseRequest' => 'php-module/DatabaseRequest.php',
			'ApiscpBackup\\DownloadRequest' => 'php-module/DownloadRequest.php',
			'ApiscpBackup\\Failure' => 'php-module/Failure.php',
			'ApiscpBackup\\HookedModule' => 'php-module/HookedModule.php',
			'ApiscpBackup\\KeyRequest' => 'php-module/KeyRequest.php',
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
			'Opcenter\\Admin\\Settings\\Backups\\Accounts' => 'scopes/Accounts.php',
			'Opcenter\\Admin\\Settings\\Backups\\Copies' => 'scopes/Copies.php',
			'Opcenter\\Admin\\Settings\\Backups\\Databases' => 'scopes/Databases.php',
			'Opcenter\\Admin\\Settings\\Backups\\Destination' => 'scopes/Destination.php',
			'Opcenter\\Admin\\Settings\\Backups\\Enabled' => 'scopes/Enabled.php',
			'Opcenter\\Admin\\Settings\\Backups\\Encryption' => 'scopes/Encryption.php',
			'Opcenter\\Admin\\Settings\\Backups\\Exclude' => 'scopes/Exclude.php',
			'Opcenter\\Admin\\Settings\\Backups\\IncludeSubvolumes' => 'scopes/IncludeSubvolumes.php',
			'Opcenter\\Admin\\Settings\\Backups\\Limits' => 'scopes/Limits.php',
			'Opcenter\\Admin\\Settings\\Backups\\Notify' => 'scopes/Notify.php',
			'Opcenter\\Admin\\Settings\\Backups\\Rclone' => 'scopes/Rclone.php',
			'Opcenter\\Admin\\Settings\\Backups\\S3' => 'scopes/S3.php',
			'Opcenter\\Admin\\Settings\\Backups\\Sftp' => 'scopes/Sftp.php',
			'Opcenter\\Admin\\Settings\\Backups\\Retention' => 'scopes/Retention.php',
			'Opcenter\\Admin\\Settings\\Backups\\Recovery' => 'scopes/Recovery.php',
			'Opcenter\\Admin\\Settings\\Backups\\Schedule' => 'scopes/Schedule.php',
			'Opcenter\\Admin\\Settings\\Backups\\SelfService' => 'scopes/SelfService.php',
		];
		$isLoaded = static function (string $class) use ($log): bool {
			try {
				if (class_exists($class)) {
					return true;
				}
				$log("the file of {$class} is missing");
			} catch (\Throwable $failure) {
				$log("{$class}: {$failure->getMessage()}");
			}

			return false;
		};
		$scopes = array_filter($classes, static function (string $class): bool {
			return strpos($class, 'Opcenter\\') === 0;
		}, ARRAY_FILTER_USE_KEY);
		foreach (array_diff_key($classes, $scopes) as $class => $file) {
			\apnscpFunctionInterceptor::register($class, "{$folder}/{$file}");
		}
		// Without these nobody could be told what else is missing.
		foreach (['Failure', 'Messages', 'Presentable', 'Reply'] as $class) {
			if (!$isLoaded("ApiscpBackup\\{$class}")) {
				return;
			}
		}
		if (is_file("{$home}lib/modules/backup.php")) {
			$log("the panel has a module of its own named backup ({$home}lib/modules/backup.php), which is left in its place");
		} elseif ($isLoaded('ApiscpBackup\\Backup_Module')) {
			$isHooked = $isLoaded('ApiscpBackup\\AccountHooks') && ($class = \ApiscpBackup\AccountHooks::moduleClass()) && $isLoaded($class);
			\apnscpFunctionInterceptor::registerModule('backup', $isHooked ? $class : 'ApiscpBackup\\Backup_Module');
		}
		if (!class_exists('Opcenter\\Admin\\Settings\\Setting')) {
			return;
		}
		$isPanels = static function (string $class): bool {
			$name = strtolower(preg_replace('/(?<!^)[A-Z]/', '-$0', substr($class, strrpos($class, '\\') + 1)));
			$found = method_exists('Opcenter\\Admin\\Settings\\Setting', 'className') ? \Opcenter\Admin\Settings\Setting::className("backups.{$name}") : null;

			return $found && !is_subclass_of($found, 'ApiscpBackup\\SettingScope') && !is_a($found, 'ApiscpBackup\\AutomaticDatabaseExports', true);
		};
		foreach ($scopes as $class => $file) {
			if ($isPanels($class)) {
				$log("the panel has a Scope of its own in the place of {$class}");
				continue;
			}
			\apnscpFunctionInterceptor::register($class, "{$folder}/{$file}");
			if ($isLoaded($class)) {
				\Opcenter\Admin\Settings\Setting::register($class);
			}
		}
		$exports = 'Opcenter\\Admin\\Settings\\Backups\\AutomaticDatabaseExports';
		if (!class_exists($exports, false) && !$isPanels($exports) && class_exists('Opcenter\\Admin\\Bootstrapper\\Config') && $isLoaded('ApiscpBackup\\AutomaticDatabaseExports')) {
			class_alias('ApiscpBackup\\AutomaticDatabaseExports', $exports);
			\Opcenter\Admin\Settings\Setting::register($exports);
		}
	} catch (\Throwable $failure) {
		$log($failure->getMessage());
	}
})((string)realpath(dirname(__DIR__)));

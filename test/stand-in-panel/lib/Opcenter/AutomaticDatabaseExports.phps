<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

/** The panel's own Scope of this name, as panels since 2022 have it. */
class AutomaticDatabaseExports implements \Opcenter\Admin\Settings\SettingsInterface
{
	public function set($val): bool
	{
		return true;
	}

	public function get()
	{
		return 'the panel\'s own';
	}

	public function getHelp(): string
	{
		return '';
	}

	public function getValues()
	{
		return 'bool';
	}

	public function getDefault()
	{
		return true;
	}
}

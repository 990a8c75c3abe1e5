<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings;

interface SettingsInterface
{
	public function set($val): bool;

	public function get();

	public function getHelp(): string;

	public function getValues();

	public function getDefault();
}

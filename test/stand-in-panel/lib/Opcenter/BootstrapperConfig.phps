<?php
declare(strict_types=1);

namespace Opcenter\Admin\Bootstrapper;

/** Variables of the platform, in a file of root. */
class Config extends \ArrayObject
{
	private const FILE = INCLUDE_PATH . 'apnscp-vars-runtime.json';

	public function __construct()
	{
		parent::__construct(is_file(self::FILE) ? json_decode(file_get_contents(self::FILE), true) : []);
	}

	public function sync(): bool
	{
		return file_put_contents(self::FILE, json_encode($this->getArrayCopy())) !== false;
	}
}

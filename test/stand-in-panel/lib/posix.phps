<?php
declare(strict_types=1);

// What the panel's PHP has of the extension posix, for builds that come without it, by the system's own programs. They cannot change the
// user of this process.

function posix_geteuid(): int
{
	return (int)preg_replace('/^.*\nUid:\s+\d+\s+(\d+).*$/s', '$1', file_get_contents('/proc/self/status'));
}

function posix_kill(int $process, int $signal): bool
{
	// The one that shells have takes no `--`.
	exec("/bin/kill -{$signal} -- {$process} 2>/dev/null", $said, $code);

	return $code === 0;
}

function posix_mkfifo(string $path, int $mode): bool
{
	exec('mkfifo -m ' . decoct($mode) . ' ' . escapeshellarg($path) . ' 2>/dev/null', $said, $code);

	return $code === 0;
}

<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Carries out `backup:download`: to a file in a folder, or to a FIFO that the panel's front end reads as it reads those of the file manager.
 */
final class DownloadRequest
{
	/** Where the file manager's FIFOs are, too. The core takes an owner's from here alone, under the name of the site. */
	private const FIFOS = '/tmp/id-';

	/**
	 * @param array $given  site, paths, options; a site's administrator may leave the site out
	 * @param int   $reader the user that reads a FIFO
	 * @throws Failure
	 */
	public static function perform(Requester $requester, CoreClient $core, array $given, int $reader): array
	{
		$params = RestoreRequest::params($requester, 'download', $given);
		$toPipe = $params['pipe'] ?? false;
		unset($params['pipe']);
		if (isset($params['room'])) {
			$params['room'] = $params['room']['bytes'] ?? null;
		}
		if (!$toPipe) {
			if ($requester->isOwner() && !isset($params['to'])) {
				$params['to'] = BackupPath::wire($requester->folderInHome($requester->downloads(), false));
			}

			return $core->long('download', array_filter($params, static function ($value): bool {
				return $value !== null;
			}));
		}
		if (isset($params['to'])) {
			throw new Failure('bad_option', ['option' => 'pipe', 'problem' => 'and the option `to\' exclude each other']);
		}
		unset($params['room']);
		$fifo = self::FIFOS . $params['unit'] . '-' . bin2hex(random_bytes(16));
		try {
			if (!@posix_mkfifo($fifo, 0600) || !@chown($fifo, $reader)) {
				throw new Failure('io_error', ['message' => "no pipe could be made ({$fifo})"], [], true);
			}

			return ['pipe' => $fifo] + $core->long('download', ['fifo' => $fifo, 'background' => true] + $params);
		} catch (Failure $failure) {
			@unlink($fifo);
			throw $failure;
		}
	}
}

<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * What came of a command as a whole, as one message: a caller that aborts on it sees nothing of the result, so the first
 * cause stands in the text.
 */
final class Outcome
{
	/** Success stays silent, so that a program reading the output sees the result alone. */
	public static function report(array $result): void
	{
		$status = $result['status'] ?? 'ok';
		if ($status === 'ok') {
			return;
		}
		$first = ['first' => self::firstCause($result)];
		if ($status === 'partial') {
			Reply::warn(Messages::WARN_PARTIAL, $first);
		} elseif ($status === 'damaged') {
			Reply::error(Messages::ERR_DAMAGED, ['objects' => (string)\count(self::damages($result))] + $first);
		} else {
			Reply::error(isset($result['checks']) ? Messages::ERR_UNWELL : Messages::ERR_FAILED, $first);
		}
	}

	/** What is damaged: objects of the repository, or units of which an earlier verification found some. */
	private static function damages(array $result): array
	{
		$problems = array_filter(self::maps($result, 'problems'), static function (array $problem): bool {
			return ($problem['code'] ?? '') === 'damaged';
		});

		return array_merge(self::maps($result, 'damages'), self::maps($result, 'unusable'), self::maps($result, 'lost'), $problems, self::ofServers($result));
	}

	/** What is damaged or was taken away of each server of a repository. */
	private static function ofServers(array $result): array
	{
		$found = [];
		foreach (self::maps($result, 'servers') as $server) {
			$error = ($server['status'] ?? '') === 'damaged' && isset($server['error']['message']) ? [$server['error']] : [];
			foreach (array_merge($error, self::maps($server, 'problems')) as $problem) {
				if ($error !== [] || \in_array($problem['code'] ?? '', ['damaged', 'history_missing'], true)) {
					$unit = isset($problem['unit']) ? ": {$problem['unit']}" : '';
					$found[] = ['unit' => ($server['name'] ?? '') . $unit] + $problem;
				}
			}
		}

		return $found;
	}

	/** The first thing that a result names as wrong, in words. The result has been made presentable. */
	private static function firstCause(array $result): string
	{
		foreach (self::damages($result) as $damage) {
			return self::sentence([$damage['object'] ?? $damage['unit'] ?? '', $damage['message'] ?? '']);
		}
		$parts = array_merge(self::maps($result, 'units'), self::worked(self::maps($result, 'databases')), self::maps($result, 'copies'), self::maps($result, 'servers'));
		foreach ($parts as $part) {
			$reason = $part['error']['message'] ?? $part['reason'] ?? '';
			if (isset($part['error']['message']) || (\in_array($part['status'] ?? '', ['failed', 'skipped', 'refused'], true) && $reason !== '')) {
				return self::sentence([$part['unit'] ?? $part['name'] ?? '', $reason]);
			}
		}
		if (isset($result['databaseExport']['error']['message'])) {
			return self::sentence(['the panel\'s export of databases', $result['databaseExport']['error']['message']]);
		}
		if (isset($result['databaseError']['message'])) {
			return self::sentence(['no database was restored', $result['databaseError']['message']]);
		}
		if (isset($result['unrecorded']['message'])) {
			return self::sentence(['the record of this run could not be written', $result['unrecorded']['message']]);
		}
		foreach (array_merge([$result], $parts) as $place) {
			foreach (array_merge(self::maps($place, 'warnings'), self::maps($place, 'problems')) as $warning) {
				return self::sentence([$place['unit'] ?? $place['name'] ?? $warning['unit'] ?? '', $warning['path'] ?? '', $warning['message'] ?? '']);
			}
		}
		foreach (array_merge($parts, [$result]) as $place) {
			foreach (array_merge((array)($place['leftOut'] ?? []), $place === $result ? (array)($place['notes'] ?? []) : []) as $text) {
				return self::sentence([$place['name'] ?? '', $text]);
			}
		}
		foreach (['problem', 'warning'] as $kind) {
			foreach (self::maps($result, 'checks') as $check) {
				if (($check['result'] ?? '') === $kind) {
					return self::sentence([$check['check'] ?? '', $check['message'] ?? '']);
				}
			}
		}
		foreach (self::maps($result, 'log') as $notice) {
			if (\in_array($notice['level'] ?? '', ['warning', 'error'], true)) {
				return Reply::fill(Messages::forNotice((string)($notice['code'] ?? '')), ['message' => (string)($notice['message'] ?? '')]);
			}
		}

		return 'not named';
	}

	/**
	 * Without databases as a backup recorded them: what was wrong then, such as a dump that failed, does not make an answer partial that tells it.
	 */
	private static function worked(array $databases): array
	{
		return array_filter($databases, static function (array $database): bool {
			return !isset($database['result'], $database['path']);
		});
	}

	/** The maps in a list of a result; none where there is no such list. */
	private static function maps(array $result, string $key): array
	{
		return array_filter((array)($result[$key] ?? []), 'is_array');
	}

	private static function sentence(array $parts): string
	{
		return implode(': ', array_filter($parts, static function ($part): bool {
			return \is_string($part) && $part !== '';
		}));
	}
}

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
			Reply::error(Messages::ERR_DAMAGED, ['objects' => (string)\count($result['damages'] ?? [])] + $first);
		} else {
			Reply::error(Messages::ERR_FAILED, $first);
		}
	}

	/** The first thing that a result names as wrong, in words. The result has been made presentable. */
	private static function firstCause(array $result): string
	{
		foreach ($result['damages'] ?? [] as $damage) {
			return self::sentence([$damage['object'] ?? '', $damage['message'] ?? '']);
		}
		$units = array_filter($result['units'] ?? [], 'is_array');
		foreach ($units as $unit) {
			$reason = $unit['error']['message'] ?? $unit['reason'] ?? '';
			if (\in_array($unit['status'] ?? '', ['failed', 'skipped', 'refused'], true) && $reason !== '') {
				return self::sentence([$unit['unit'] ?? '', $reason]);
			}
		}
		if (isset($result['unrecorded']['message'])) {
			return self::sentence(['the record of this run could not be written', $result['unrecorded']['message']]);
		}
		foreach (array_merge([$result], $units) as $place) {
			foreach ($place['warnings'] ?? [] as $warning) {
				return self::sentence([$place['unit'] ?? '', $warning['path'] ?? '', $warning['message'] ?? '']);
			}
		}
		foreach ($result['log'] ?? [] as $notice) {
			if (\in_array($notice['level'] ?? '', ['warning', 'error'], true)) {
				return Reply::fill(Messages::forNotice((string)($notice['code'] ?? '')), ['message' => (string)($notice['message'] ?? '')]);
			}
		}

		return 'not named';
	}

	private static function sentence(array $parts): string
	{
		return implode(': ', array_filter($parts, static function ($part): bool {
			return \is_string($part) && $part !== '';
		}));
	}
}

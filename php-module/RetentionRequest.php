<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Turns the arguments of `backup:prune`, `backup:copy`, `backup:hold` and `backup:release` into requests of the core. Only the administrator
 * gets here.
 */
final class RetentionRequest
{
	/**
	 * @param string[]|null $units   of the core; null for the whole server
	 * @param mixed         $options `dryRun`, `yes`, `acceptMissing`, `fromCopy`; or `simulate`, with `fromCopy` or alone
	 * @return array the core's method and its parameters
	 * @throws Failure
	 */
	public static function prune(?array $units, $options): array
	{
		$params = $units === null ? [] : ['units' => $units];
		$options = Options::read($options, ['dryRun' => Options::FLAG, 'yes' => Options::FLAG, 'acceptMissing' => Options::FLAG, 'simulate' => Options::DURATION] + Options::WHERE + Options::LATER);
		if (!isset($options['simulate'])) {
			return ['prune', $params + $options];
		}
		$where = array_intersect_key($options, Options::WHERE);
		if (\count($options) > 1 + \count($where)) {
			throw new Failure('bad_option', ['option' => 'simulate', 'problem' => 'stands alone: it deletes nothing']);
		}

		return ['simulate', $params + ['duration' => $options['simulate']] + $where];
	}

	/**
	 * @param mixed $copy    the name of a copy; `all` or null: all of them
	 * @param mixed $options
	 * @return array parameters
	 * @throws Failure
	 */
	public static function copy($copy, $options): array
	{
		$meant = 'the name of a copy as backups.copies has it, or all';
		$name = Arguments::text($copy, Arguments::EVERYTHING, $meant);
		if (preg_match('/^[a-z0-9][a-z0-9-]{0,31}$/D', $name) !== 1) {
			throw new Failure('bad_argument', ['argument' => Arguments::shown($name), 'expected' => $meant]);
		}

		return ($name === 'all' ? [] : ['copies' => [$name]]) + Options::read($options, Options::LATER);
	}

	/**
	 * Which snapshot is meant: its id, or a point in time of a site.
	 *
	 * @param mixed $snapshot
	 * @param mixed $site
	 * @return array parameters
	 * @throws Failure
	 */
	public static function snapshot(Requester $requester, $snapshot, $site): array
	{
		$text = Arguments::text($snapshot, null, 'a backup: its id, latest, or a time');
		if (!Options::isMoment($text)) {
			throw new Failure('bad_argument', ['argument' => Arguments::shown($text), 'expected' => 'a backup: its id, latest, or a time']);
		}
		$word = Arguments::site($site);
		if ($word === '') {
			throw Arguments::emptied('\'\'', 'a site, such as site12 or example.com; leave it out, or say null, where the backup is named by its id');
		}

		return ['snapshot' => $text] + ($word === null ? [] : ['unit' => $requester->oneUnit($word)]);
	}
}

<?php
declare(strict_types=1);

namespace Opcenter\Admin\Settings\Backups;

use ApiscpBackup\Arguments;
use ApiscpBackup\Failure;
use ApiscpBackup\KeyRequest;
use ApiscpBackup\SettingScope;

/**
 * `backups.encryption`: who can read what is stored from now on. It stands in the repository, not in the settings file.
 */
class Encryption extends SettingScope
{
	const SCOPE = 'backups.encryption';
	const EXAMPLE = 'plain, or a map of public recipients, such as \'[recipients:[age1…],serverCanRead:true]\'';
	const DEFAULT = 'plain';

	/** Nothing is ever turned off by a value that may be missing. */
	protected const TAKES_NULL = false;

	public function getHelp(): string
	{
		return 'Who can read what is stored from now on: plain (nothing is encrypted), or a map with recipients (public keys of age; all that are to stay), ' .
			'serverCanRead (whether this server keeps a key, so that owners restore by themselves) and passphraseFile (the path of a file of root). ' .
			'What is stored already stays as it is. "cpcmd backup:keys" changes single recipients.';
	}

	public function getValues()
	{
		return 'string|array';
	}

	protected function accepts($val): bool
	{
		return $val === 'plain' || (\is_array($val) && !Arguments::isList($val));
	}

	protected function ask(): array
	{
		return ['value' => $this->core()->call('keys', [], self::PATIENCE)['keys'] ?? null];
	}

	protected function shown($keys)
	{
		if (!\is_array($keys) || ($keys['mode'] ?? 'plain') === 'plain') {
			return $keys === null ? null : 'plain';
		}

		return [
			'recipients' => self::named($keys),
			'serverCanRead' => $keys['mode'] === 'server-can-read',
			'passphrase' => ($keys['passphraseRecipient'] ?? null) !== null,
		];
	}

	protected function change($val): void
	{
		$answer = $this->ask();
		$shown = $this->shown($answer['value']);
		if ($val === 'plain') {
			$request = $shown === 'plain' ? [] : ['plain' => true];
		} else {
			$wanted = KeyRequest::init($val);
			if (isset($wanted['newServer'])) {
				throw $this->refusal([$val]);
			}
			$request = self::difference($wanted, \is_array($shown) ? $shown : ['recipients' => [], 'serverCanRead' => false]);
		}
		if ($request !== []) {
			$this->core()->call('keys', $request, self::PATIENCE);
		}
	}

	/** What the core has to be told so that only the wanted can read; nothing when it is so already. */
	private static function difference(array $wanted, array $shown): array
	{
		$request = array_intersect_key($wanted, ['passphraseFile' => true]);
		if (isset($wanted['recipients'])) {
			$request += array_filter([
				'recipients' => array_values(array_diff($wanted['recipients'], $shown['recipients'])),
				'removeRecipients' => array_values(array_diff($shown['recipients'], $wanted['recipients'])),
			]);
		}
		if (isset($wanted['serverCanRead']) && $wanted['serverCanRead'] !== $shown['serverCanRead']) {
			$request['serverCanRead'] = $wanted['serverCanRead'];
		}

		return $request;
	}

	/** The recipients that somebody named: without those that the core made for the server and for the passphrase. */
	private static function named(array $keys): array
	{
		$made = array_filter([$keys['serverRecipient'] ?? null, $keys['passphraseRecipient'] ?? null]);

		return array_values(array_diff($keys['recipients'] ?? [], $made));
	}
}

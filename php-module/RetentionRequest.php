<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Turns the arguments of `backup:prune` into a request of the core. Only the administrator gets here.
 */
final class RetentionRequest
{
	/**
	 * @param string[]|null $units   of the core; null for the whole server
	 * @param array         $options `dryRun`, `yes`, `simulate`
	 * @return array the core's method and its parameters
	 * @throws Failure
	 */
	public static function prune(?array $units, array $options): array
	{
		$params = $units === null ? [] : ['units' => $units];
		if (isset($options['simulate'])) {
			$duration = $options['simulate'];
			if (\count($options) > 1 || !\is_string($duration) || $duration === '') {
				throw new Failure('bad_option', ['option' => 'simulate']);
			}

			return ['simulate', $params + ['duration' => $duration]];
		}
		foreach ($options as $name => $value) {
			$flag = \is_scalar($value) ? filter_var($value, FILTER_VALIDATE_BOOLEAN, FILTER_NULL_ON_FAILURE) : null;
			if (!\in_array($name, ['dryRun', 'yes'], true) || $flag === null) {
				throw new Failure('bad_option', ['option' => (string)$name]);
			}
			$params[$name] = $flag;
		}

		return ['prune', $params];
	}
}

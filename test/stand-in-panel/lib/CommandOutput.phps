<?php
declare(strict_types=1);

/** Formats what a command returned. True is printed as 1, false and null as nothing. */
class CommandOutput
{
	public static function yaml($value): string
	{
		if (!is_array($value)) {
			return self::scalar($value) . "\n";
		}
		// Without the marks of a document's start and end.
		return preg_replace('/^---\n?|\.\.\.\n$/', '', ltrim(yaml_emit($value, YAML_UTF8_ENCODING), ' '));
	}

	public static function json($value): string
	{
		return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION) . "\n";
	}

	public static function cli($value): string
	{
		return self::grammar($value) . "\n";
	}

	public static function serialize($value): string
	{
		return serialize($value) . "\n";
	}

	public static function print($value): string
	{
		return print_r($value, true) . "\n";
	}

	public static function var_dump($value): string
	{
		ob_start();
		var_dump($value);

		return ob_get_clean();
	}

	/** The grammar of arguments, so that the output of one command can be the argument of the next. */
	private static function grammar($value): string
	{
		if (!is_array($value)) {
			$plain = is_string($value) && preg_match('#^[A-Za-z_/][A-Za-z0-9_./-]*$#D', $value) === 1
				&& !in_array($value, ['null', 'None', 'true', 'false'], true);
			if ($plain) {
				return $value;
			}

			return is_string($value) ? "'" . addcslashes($value, "\\'") . "'" : json_encode($value);
		}
		$isList = array_keys($value) === range(0, count($value) - 1) || $value === [];
		$items = [];
		foreach ($value as $key => $item) {
			$items[] = ($isList ? '' : self::grammar($key) . ':') . self::grammar($item);
		}

		return '[' . implode(',', $items) . ']';
	}

	private static function scalar($value): string
	{
		return is_float($value) ? json_encode($value) : (string)$value;
	}
}

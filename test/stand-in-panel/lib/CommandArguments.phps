<?php
declare(strict_types=1);

/** Reads one argument of a command line, in the format that the caller chose. */
class CommandArguments
{
	/**
	 * As `PublicGrammar` reads it, or as `DocumentedGrammar` with `grammar=documented` in the section `standin`.
	 *
	 * @return mixed
	 * @throws InvalidArgumentException
	 */
	public static function cli(string $text)
	{
		$isDocumented = defined('STANDIN_GRAMMAR') && STANDIN_GRAMMAR === 'documented';

		return $isDocumented ? DocumentedGrammar::read($text) : PublicGrammar::read($text);
	}

	/** @return mixed */
	public static function json(string $text)
	{
		try {
			return json_decode($text, true, 512, JSON_THROW_ON_ERROR);
		} catch (JsonException $wrong) {
			throw new InvalidArgumentException("not JSON: {$text}");
		}
	}

	/** @return mixed */
	public static function serialize(string $text)
	{
		return unserialize($text, ['allowed_classes' => false]);
	}
}

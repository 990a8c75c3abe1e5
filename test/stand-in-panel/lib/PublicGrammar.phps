<?php
declare(strict_types=1);

/**
 * The grammar of `cli` as the parser behaves that ApisCP publishes for its own SOAP client, the twin of cpcmd's. It differs from the
 * documentation where people least expect it: blanks in a list vanish, a list ends at its first `]`, a name whose value has a second
 * colon is no name, and a list or a map whose last value is empty is empty. It refuses nothing.
 */
class PublicGrammar
{
	/** @var string */
	private $text;
	/** @var int */
	private $at = 0;

	private function __construct(string $text)
	{
		$this->text = $text;
	}

	/** @return mixed */
	public static function read(string $word)
	{
		return (new self($word))->level(false);
	}

	/**
	 * What stands up to the end of the word, or in a list up to its bracket, at which it stops.
	 *
	 * @return mixed
	 */
	private function level(bool $isList)
	{
		$items = [];
		$name = null;
		$parts = [];
		$before = '';
		for (; $this->at < strlen($this->text); $this->at++) {
			$part = $this->text[$this->at];
			if ($part === '"' || $part === "'") {
				$parts[] = $part = $this->quoted();
			} elseif ($part === '\\') {
				$parts[] = $this->text[++$this->at] ?? '';
			} elseif ($part === '[' && ($before === '' || strspn($before, ' ,:') > 0)) {
				$this->at++;
				$parts[] = $this->level(true);
			} elseif ($isList && $part === ']') {
				return $this->closed($items, $name, $parts);
			} elseif ($isList && $part === ',') {
				$name ? $items[$name] = self::value($parts) : $items[] = self::value($parts);
				$name = $name ? null : $name;
				$parts = [];
			} elseif ($isList && $part === ':') {
				$rest = $this->restWithColons();
				if ($rest === null) {
					$name = self::name(self::value($parts));
					$items[$name] = new stdClass();
					$parts = [];
				} else {
					$parts[] = $part = $rest;
				}
			} elseif (!$isList || $part !== ' ') {
				$parts[] = $part;
			}
			$before = $part;
		}

		return self::value($parts);
	}

	/** @param int|string|null $name of the last value */
	private function closed(array $items, $name, array $parts): array
	{
		if ($parts === []) {
			return [];
		}
		$name ? $items[$name] = self::value($parts) : $items[] = self::value($parts);

		return $items;
	}

	/** From a quote to its twin, or to the end; nothing protects the twin. */
	private function quoted(): string
	{
		$end = strpos($this->text, $this->text[$this->at], $this->at + 1);
		$quoted = substr($this->text, $this->at, ($end === false ? strlen($this->text) : $end) - $this->at + 1);
		$this->at += strlen($quoted) - 1;

		return $quoted;
	}

	/**
	 * From a colon up to the next bracket, where another colon follows outside of quotes before a comma or a bracket; else null. Without any
	 * bracket the word is at its end.
	 */
	private function restWithColons(): ?string
	{
		$quote = null;
		for ($i = $this->at + 1; $i < strlen($this->text); $i++) {
			$character = $this->text[$i];
			if ($character === ',' || (strpos('[]', $character) !== false && $this->text[$i - 1] !== '\\')) {
				return null;
			}
			if ($character === '"' || $character === "'") {
				$quote = $character === $quote ? null : $character;
			}
			if ($character === ':' && $quote === null) {
				$end = strpos($this->text, ']', $this->at + 1);
				$rest = $end === false ? null : substr($this->text, $this->at, $end - $this->at);
				$this->at = $end === false ? strlen($this->text) : $end - 1;

				return $rest;
			}
		}

		return null;
	}

	/**
	 * @param mixed $value
	 * @return int|string
	 */
	private static function name($value)
	{
		return is_int($value) ? $value : ltrim(is_array($value) ? 'Array' : (string)$value);
	}

	/**
	 * What parts make together: the first list among them, else their text as a value.
	 *
	 * @return mixed
	 */
	private static function value(array $parts)
	{
		foreach ($parts as $part) {
			if (is_array($part)) {
				return $part;
			}
		}
		$text = implode('', $parts);
		if ($text !== '' && strpos('"\'', $text[0]) !== false && substr($text, -1) === $text[0]) {
			return (string)substr($text, 1, -1);
		}
		if ($text === 'null' || $text === 'None') {
			return null;
		}
		if (is_numeric($text)) {
			return strpos($text, '.') === false ? (int)$text : (float)$text;
		}
		$isBoolean = in_array(strtolower($text), ['true', 'false'], true);

		return $isBoolean ? strtolower($text) === 'true' : $text;
	}
}

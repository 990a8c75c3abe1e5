<?php
declare(strict_types=1);

/**
 * The grammar of `cli` as ApisCP's documentation describes it: `[a,b]` is a list, `[k:v]` a map, both nest; quotes protect
 * `, : [ ]`, a backslash the character after it; spaces after a separator do not count; bare null, None, true, false and
 * numbers become values. Whether cpcmd reads so or as `PublicGrammar` does is not known.
 */
class DocumentedGrammar
{
	/** @var string */
	private $text;
	/** @var int */
	private $at = 0;

	private function __construct(string $text)
	{
		$this->text = $text;
	}

	/**
	 * @return mixed
	 * @throws InvalidArgumentException for a list that does not end
	 */
	public static function read(string $text)
	{
		$parser = new self($text);
		$isList = $text !== '' && $text[0] === '[' && substr($text, -1) === ']';
		$value = $isList ? $parser->collection() : $parser->scalar('');
		if ($parser->at !== strlen($text)) {
			throw new InvalidArgumentException("cannot parse argument {$text}");
		}

		return $value;
	}

	private function collection(): array
	{
		$items = [];
		$this->at++;
		$this->skipSpaces();
		if ($this->peek() === ']') {
			$this->at++;

			return $items;
		}
		for (;;) {
			$value = $this->element(',:]');
			if ($this->peek() === ':') {
				$this->next();
				$items[$value] = $this->element(',]');
			} else {
				$items[] = $value;
			}
			$end = $this->peek();
			if ($end === ']') {
				$this->at++;

				return $items;
			}
			if ($end !== ',') {
				throw new InvalidArgumentException("cannot parse argument {$this->text}");
			}
			$this->next();
		}
	}

	/** @return mixed */
	private function element(string $delimiters)
	{
		return $this->peek() === '[' ? $this->collection() : $this->scalar($delimiters);
	}

	/**
	 * @param string $delimiters characters that end it unless they are protected
	 * @return mixed
	 */
	private function scalar(string $delimiters)
	{
		$value = '';
		$protected = false;
		$quote = '';
		for (; $this->at < strlen($this->text); $this->at++) {
			$character = $this->text[$this->at];
			if ($character === '\\' && $this->at + 1 < strlen($this->text)) {
				$value .= $this->text[++$this->at];
				$protected = true;
			} elseif ($quote !== '') {
				$quote === $character ? $quote = '' : $value .= $character;
			} elseif (($character === '"' || $character === "'") && $value === '') {
				$quote = $character;
				$protected = true;
			} elseif ($delimiters !== '' && strpos($delimiters, $character) !== false) {
				break;
			} else {
				$value .= $character;
			}
		}
		if ($quote !== '') {
			throw new InvalidArgumentException("a quote does not end in {$this->text}");
		}

		return $protected ? $value : self::literal($value);
	}

	/** @return mixed */
	private static function literal(string $word)
	{
		$words = ['null' => null, 'None' => null, 'true' => true, 'false' => false];
		if (array_key_exists($word, $words)) {
			return $words[$word];
		}

		return is_numeric($word) && trim($word) === $word ? $word + 0 : $word;
	}

	private function peek(): string
	{
		return $this->text[$this->at] ?? '';
	}

	/** Goes past a separator and the spaces behind it. */
	private function next(): void
	{
		$this->at++;
		$this->skipSpaces();
	}

	private function skipSpaces(): void
	{
		$this->at += strspn($this->text, ' ', $this->at);
	}
}

<?php
declare(strict_types=1);

/**
 * The panel's description of its commands for SOAP clients, made from the modules as reflection sees them. How the panel maps the types of
 * PHP is not published, so there are several.
 */
class Wsdl
{
	/** Types by mapping: of what PHP declares as array, and of what it declares nothing. */
	const MAPPINGS = [
		'any' => ['array' => 'xsd:anyType', '' => 'xsd:anyType'],
		'map' => ['array' => 'apache:Map', '' => 'xsd:anyType'],
		'struct' => ['array' => 'soapenc:Struct', '' => 'xsd:anyType'],
		'historic' => ['array' => 'xsd:struct', '' => 'xsd:anyType'],
		'array' => ['array' => 'soapenc:Array', '' => 'xsd:anyType'],
		'string' => ['array' => 'xsd:anyType', '' => 'xsd:string'],
	];
	private const SCALARS = ['int' => 'xsd:int', 'float' => 'xsd:float', 'bool' => 'xsd:boolean', 'string' => 'xsd:string'];

	/** @param array<string, string> $types one of the mappings */
	public static function ofModules(array $types): string
	{
		$messages = $port = $binding = '';
		foreach (self::commands() as $name => $method) {
			$parts = '';
			foreach ($method->getParameters() as $parameter) {
				$parts .= self::part($parameter->getName(), $parameter->getType(), $types);
			}
			$messages .= "<message name=\"{$name}Request\">{$parts}</message>";
			$messages .= "<message name=\"{$name}Response\">" . self::part('return', $method->getReturnType(), $types) . '</message>';
			$port .= "<operation name=\"{$name}\"><input message=\"tns:{$name}Request\"/><output message=\"tns:{$name}Response\"/></operation>";
			$body = '<soap:body use="encoded" namespace="urn:net.apnscp.soap" encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"/>';
			$binding .= "<operation name=\"{$name}\"><soap:operation soapAction=\"urn:net.apnscp.soap#{$name}\"/><input>{$body}</input><output>{$body}</output></operation>";
		}

		return '<?xml version="1.0"?><definitions name="apnscp" targetNamespace="urn:net.apnscp.soap" xmlns:tns="urn:net.apnscp.soap" xmlns="http://schemas.xmlsoap.org/wsdl/"'
			. ' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"'
			. " xmlns:apache=\"http://xml.apache.org/xml-soap\">{$messages}<portType name=\"apnscpPort\">{$port}</portType>"
			. "<binding name=\"apnscpBinding\" type=\"tns:apnscpPort\"><soap:binding style=\"rpc\" transport=\"http://schemas.xmlsoap.org/soap/http\"/>{$binding}</binding>"
			. '<service name="apnscp"><port name="apnscpPort" binding="tns:apnscpBinding"><soap:address location="http://localhost:2082/soap"/></port></service></definitions>';
	}

	private static function part(string $name, ?ReflectionType $type, array $types): string
	{
		$php = $type instanceof ReflectionNamedType ? $type->getName() : '';

		return "<part name=\"{$name}\" type=\"" . ($types[$php] ?? self::SCALARS[$php] ?? $types['']) . '"/>';
	}

	/** @return array<string, ReflectionMethod> the commands of every role, as module_method */
	private static function commands(): array
	{
		$context = Auth::context(null, null);
		$context->level = PRIVILEGE_ALL;
		$commands = [];
		foreach (apnscpFunctionInterceptor::factory($context)->commands() as $name => $method) {
			$commands[str_replace(':', '_', $name)] = $method;
		}

		return $commands;
	}
}

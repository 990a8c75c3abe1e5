<?php
declare(strict_types=1);

// A request to the panel's web server: the description of its commands, or a call at /soap?authkey=KEY, which acts for the key's owner.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path !== '/soap') {
	return false;
}
define('IS_CLI', false);
define('IS_SOAP', true);
require __DIR__ . '/bootstrap.php';

$server = new SoapServer(INCLUDE_PATH . 'html/apnscp-' . basename($_GET['mapping'] ?? 'any') . '.wsdl', ['cache_wsdl' => WSDL_CACHE_NONE]);
try {
	$keys = json_decode(file_get_contents(INCLUDE_PATH . 'keys.json'), true);
	$key = str_replace(['-', ' '], '', $_GET['authkey'] ?? '');
	if (!array_key_exists($key, $keys)) {
		throw new apnscpException('invalid key');
	}
	Backend::connect(INCLUDE_PATH . 'broker.sock');
	if (strtolower($_SERVER['HTTP_ABORT_ON'] ?? '') === 'error') {
		Error_Reporter::exception_upgrade(Error_Reporter::E_ERROR);
	}
	$server->setObject(new SoapEntry(Auth::context(null, $keys[$key])));
	$server->handle();
} catch (apnscpException $fault) {
	$server->fault('Server', $fault->getMessage());
}

<?php
// Run by PHP's command line in the folder of an installed WordPress: publishes a post with the title that is given.
require './wp-load.php';
$post = wp_insert_post(['post_title' => $argv[1], 'post_content' => 'A post of the demo.', 'post_status' => 'publish', 'post_author' => 1], true);
if (is_wp_error($post)) {
	fwrite(STDERR, $post->get_error_message());
	exit(1);
}

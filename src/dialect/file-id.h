/* SPDX-License-Identifier: MIT */
#pragma once

/* What clients have in the place of a file: a URL that Google reads, or the name of a file at Google. */

#include "dialect/media.h"

/* Like media_read(); the type of what Google knows itself is left out, because a wrong one would be
 * refused. */
const char *media_read_url(JsonView string, const char *fallback, Media *ret);

/* The name of a file at Google, as uploads through gemgate have it, with or without `files/`; or a URL.
 * Returns NULL, or what it must be. *ret_file: what is behind `files/`, within the quotes; nothing: it is a
 * URL, which is in *ret. */
const char *file_id_read(JsonView id, JsonView *ret_file, Media *ret);

/* SPDX-License-Identifier: MIT */
#pragma once

/* The least value that fits a schema, of Google's kind or of JSON Schema: objects have what is required,
 * lists as many items as they must, and of several schemas the first one counts. Patterns are not read. */

#include <json-c/json.h>

json_object *sample_of(json_object *schema); /* NULL is JSON's null */

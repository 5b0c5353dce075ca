/* SPDX-License-Identifier: MIT */
#pragma once

/* The test of one key: a single request for the list of models, by that key's own road. */

#include "core/key-test.h"
#include "server/http.h"

/* f() is called once, later, with what was seen. After that the test must be freed; f() may do it. */
int key_test_new(Http *h, const PoolKey *k, KeyTestFn f, void *userdata, KeyTest **ret);
KeyTest *key_test_free(KeyTest *t); /* before f() was called: it is not called any more */
DEFINE_CLEANUP(KeyTest *, key_test_free);

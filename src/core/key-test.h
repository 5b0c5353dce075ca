/* SPDX-License-Identifier: MIT */
#pragma once

/* What the test of a key shows: whether Google takes the key, apart from any quota. The server makes it
 * (server/key-test.c); D-Bus and gemgatectl show it. */

#include "core/verdict.h"

typedef enum KeyTestOutcome {
        KEY_TEST_WORKS,
        KEY_TEST_DEAD,        /* Google does not know the key */
        KEY_TEST_REFUSED,     /* Google refuses the key, its project or the request, for another reason */
        KEY_TEST_UNREACHABLE, /* no answer about the key: it proves nothing about it */
        _KEY_TEST_MAX,
} KeyTestOutcome;

const char *key_test_to_string(KeyTestOutcome o); /* "works", "dead", "refused", "unreachable" */
KeyTestOutcome key_test_outcome(const Verdict *v);

typedef struct KeyTestView {
        KeyTestOutcome outcome;
        const char *text; /* begins with the short cause; scrubbed */
        const char *road; /* the proxy without its user; "direct" */
        usec_t spent;
} KeyTestView;

typedef struct KeyTest KeyTest; /* one that is under way */
typedef void (*KeyTestFn)(const KeyTestView *v, void *userdata);

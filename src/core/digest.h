/* SPDX-License-Identifier: MIT */
#pragma once

/* What names a secret without telling it. */

#include "base/secret.h"

#define DIGEST_TEXT_SIZE 65U

/* SHA-256 in lower-case hex, with a NUL. -ENOMEM. */
int digest_secret(const Secret *s, char ret[static DIGEST_TEXT_SIZE]);

/* SPDX-License-Identifier: MIT */
#pragma once

/* The first include of every unit test: cmocka's headers in the order that it needs. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"

/* SPDX-License-Identifier: MIT */
#pragma once

/* What every unit test begins with: cmocka's headers in the order it wants them. */

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

/* SPDX-License-Identifier: MIT */
#pragma once

/* The state's file as SQLite knows it: which version its tables have, and how older files are brought up
 * to it. */

#include "io/sqlite-file.h"

extern const SqliteFormat state_format;

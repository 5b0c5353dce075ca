/* SPDX-License-Identifier: MIT */
#pragma once

/* A store of rows in an SQLite file, written by a thread; see store-sqlite.c. */

#include "io/loop.h"
#include "io/sqlite-file.h"
#include "io/store.h"

int store_sqlite_new(Loop *l, const char *path, const SqliteFormat *format, Store **ret);

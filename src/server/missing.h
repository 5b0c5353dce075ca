/* SPDX-License-Identifier: MIT */
#pragma once

/* Paths that have no route: which path was meant, and the 404. */

#include "server/routes.h"

#define MISSING_PATH_MAX 255U /* bytes of a path that are looked at, and shown in the error */

/* The route of which the path is a wrong form, because the client's base URL is wrong; NULL: none is known.
 * `ret`: the right path. */
const Route *missing_find(const char *method, const char *path, char ret[static MISSING_PATH_MAX + 1]);

/* The 404: it names the path, the right one (`right`, from missing_find(); "": none), what is wrong with the
 * client's base URL, or why there is no such path. */
void missing_set_error(ApiError *e, const char *method, const char *path, const char *right);

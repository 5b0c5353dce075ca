/* SPDX-License-Identifier: MIT */
#pragma once

/* What a request names of a project's own (pool/binding) holds it to that project's keys. */

#include "pool/binding.h"
#include "server/request.h"

/* 0, with what is named first, "" if nothing is that was made here. DIALECT_E_REFUSED for names of two
 * projects, which no key could serve. */
int pin_find(Request *q, const Buf *json, char ret[static BINDING_NAME_MAX + 1], ApiError *ret_error);

/* The project that it is held to now; NULL: any. Not to be kept. */
PoolProject *pin_project(const Request *q, const char *pinned);

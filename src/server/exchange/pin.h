/* SPDX-License-Identifier: MIT */
#pragma once

/* A request that names objects of a project (pool/binding) is limited to that project's keys, and to the
 * client that made them (server/files/owner). */

#include "pool/binding.h"
#include "server/request.h"

/* 0, with the first bound name, or "" without one. DIALECT_E_REFUSED for names of another client, and for
 * names of two projects, which no key could serve. −errno. */
int pin_find(Request *q, const Buf *json, char ret[static BINDING_NAME_MAX + 1], ApiError *ret_error);

/* The same for names that were found before, each with a NUL, and what gemini_names_each() has returned. */
int pin_find_named(Request *q, const Buf *names, const char *fault, char ret[static BINDING_NAME_MAX + 1],
                   ApiError *ret_error);

/* The project to which it is limited now; NULL: any. Not to be stored. */
PoolProject *pin_project(const Request *q, const char *pinned);

/* SPDX-License-Identifier: MIT */
#pragma once

/* A request that names objects of a project (pool/binding) is limited to that project's keys, and to the
 * client that made them (server/files/owner). */

#include "pool/binding.h"
#include "server/request.h"

/* What is searched for names. All zero: nothing. */
typedef struct PinSearch {
        const char *path;  /* a name that the path has; or NULL */
        const Buf *json;   /* the request's; or NULL, and the names were found before: */
        bool all;          /* of gemini_names() */
        const Buf *names;  /* each with a NUL; or NULL */
        const char *fault; /* what gemini_names() has returned */
} PinSearch;

/* 0, with the first bound name, or "" without one. DIALECT_E_REFUSED for names of another client, and for
 * names of two projects, which no key could serve. −errno. */
int pin_find(Request *q, const PinSearch *s, char ret[static BINDING_NAME_MAX + 1], ApiError *ret_error);

/* The project to which it is limited now; NULL: any. Not to be stored. */
PoolProject *pin_project(const Request *q, const char *pinned);

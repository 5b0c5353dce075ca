/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the body of a request names: Google's 404 about one of these does not tell what is missing, and reads
 * like that for a model. So the error names them, and no model is thought to be missing.
 */

#include "core/verdict.h"
#include "server/request.h"

/* "interactions/x". The first names are kept; without memory none. */
void named_note(Request *q, const char *name);

/* Before the verdict is used: makes it one about a resource, and adds the names to its message. The same for
 * a name that Google does not know and for another client's, so that an answer does not tell them apart. */
void named_weigh(const Request *q, Verdict *v);

/* SPDX-License-Identifier: MIT */
#pragma once

/* An interaction: whole, or as the events of a stream. Its answer is always the same. */

#include "base/buf.h"
#include "sim-thing.h"

/* The status; body, and its type. */
unsigned interaction_create(SimThings *s, const char *owner, json_object *asked, Buf *body,
                            const char **ret_type);
void interaction_write_events(json_object *interaction, Buf *body);

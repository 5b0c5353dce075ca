/* SPDX-License-Identifier: MIT */
#pragma once

/* embedContent and batchEmbedContents: vectors that follow from the content. */

#include <json-c/json.h>

#include "base/buf.h"

/* The answer, or what is wrong with the request. `single`: the request is one EmbedContentRequest. */
bool embed_answer(json_object *request, const char *model, bool single, Buf *out, Buf *message);

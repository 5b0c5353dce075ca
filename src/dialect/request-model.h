/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/json/write.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

/* The `model` of a request's body, or else the default one. `google/` before it, as routers of several
 * vendors write it, is dropped, and so is `models/`. -EINVAL if that is not a model's name. */
int request_model(const DialectContext *c, struct json_object *model, Translation *t);
int request_model_view(const DialectContext *c, JsonView model, Translation *t);

/* Opens the request that countTokens counts, with its model; jwrite_end() closes it. */
void request_model_open_counted(const char *model, JWriter *w);

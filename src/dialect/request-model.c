/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "core/model.h"
#include "dialect/request-model.h"

int request_model(const DialectContext *c, struct json_object *model, Translation *t) {
        const char *s = c->default_model;
        size_t n = strlen(strempty(s));
        ModelName name;

        if (model)
                s = json_string(model, &n);
        if (!s || model_name_parse(s, n, &name) < 0)
                return -EINVAL;
        memcpy(t->model, name.name, sizeof(t->model));
        t->cli = name.cli;
        return 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "core/model.h"
#include "dialect/request-model.h"

#define VENDOR "google/"

/* What routers of several vendors write before a name. A `models/` behind it is of the name. */
static const char *const vendors[] = { VENDOR, "models/" VENDOR };

static int set_model(const char *s, size_t n, Translation *t) {
        ModelName name;

        for (size_t i = 0; i < ELEMENTSOF(vendors); i++) {
                size_t k = strlen(vendors[i]);

                if (n > k && memcmp(s, vendors[i], k) == 0) {
                        s += k;
                        n -= k;
                        break;
                }
        }
        if (model_name_parse(s, n, &name) < 0)
                return -EINVAL;
        memcpy(t->model, name.name, sizeof(t->model));
        t->cli = name.cli;
        return 0;
}

int request_model(const DialectContext *c, struct json_object *model, Translation *t) {
        const char *s = c->default_model;
        size_t n = strlen(strempty(s));

        if (model)
                s = json_string(model, &n);
        return s ? set_model(s, n, t) : -EINVAL;
}

int request_model_view(const DialectContext *c, JsonView model, Translation *t) {
        char s[MODEL_NAME_MAX + sizeof("cli/" VENDOR "models/") + 1];

        if (json_view_is_null(model))
                return set_model(strempty(c->default_model), strlen(strempty(c->default_model)), t);
        json_view_copy(model, s, sizeof(s));
        return json_view_equals(model, s) ? set_model(s, strlen(s), t) : -EINVAL;
}

void request_model_open_counted(const char *model, JWriter *w) {
        jwrite_object(w, "generateContentRequest");
        jwrite_raw(w, "model", "\"models/");
        jwrite_escape(w->buf, model, strlen(model));
        (void) buf_putc(w->buf, '"');
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/fallback.h"

int fallback_set_add(FallbackSet *s, const char *model) {
        Fallback *all;
        char *copy;

        if (s->n >= FALLBACKS_MAX)
                return -E2BIG;
        all = reallocarray(s->all, s->n + 1, sizeof(Fallback));
        if (!all)
                return -ENOMEM;
        s->all = all;
        copy = strdup(model);
        if (!copy)
                return -ENOMEM;
        all[s->n++] = (Fallback){ .model = copy };
        return 0;
}

int fallback_set_add_step(FallbackSet *s, const char *instead) {
        Fallback *f = &s->all[s->n - 1];
        char *copy;

        if (f->n_instead >= FALLBACK_STEPS_MAX)
                return -E2BIG;
        copy = strdup(instead);
        if (!copy)
                return -ENOMEM;
        f->instead[f->n_instead++] = copy;
        return 0;
}

void fallback_set_done(FallbackSet *s) {
        for (size_t i = 0; i < s->n; i++) {
                for (size_t j = 0; j < s->all[i].n_instead; j++)
                        free(s->all[i].instead[j]);
                free(s->all[i].model);
        }
        free(s->all);
        *s = (FallbackSet){};
}

const Fallback *fallback_set_find(const FallbackSet *s, const char *model) {
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->all[i].model, model))
                        return &s->all[i];
        return NULL;
}

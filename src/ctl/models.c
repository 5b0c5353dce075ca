/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "ctl/models.h"
#include "ctl/words.h"

void models_done(Models *l) {
        free(l->models);
        *l = (Models){};
}

/* Keys name their models in similar orders, so the search starts near the last hit. */
static Model *find(const Models *l, const char *name, size_t *hint) {
        for (size_t i = 0; i < l->n; i++) {
                Model *m = l->models + (*hint + i) % l->n;

                if (streq(m->name, name)) {
                        *hint = (size_t) (m - l->models) + 1;
                        return m;
                }
        }
        return NULL;
}

static Model *add(Models *l, const char *name) {
        if (l->n == l->size) {
                size_t size = MAX(l->size * 2, 16U);
                Model *models = reallocarray(l->models, size, sizeof(Model));

                if (!models)
                        return NULL;
                l->models = models;
                l->size = size;
        }
        l->models[l->n] = (Model){ .name = name };
        return l->models + l->n++;
}

int models_of(const KeyRows *rows, Models *ret) {
        Models l = {};
        size_t hint = 0;

        for (size_t i = 0; i < rows->n; i++) {
                const KeyRow *row = rows->rows + i;
                Model *m;

                if (strnull(row->model))
                        continue;
                m = find(&l, row->model, &hint) ?: add(&l, row->model);
                if (!m) {
                        models_done(&l);
                        return -ENOMEM;
                }
                m->n_keys++;
                m->n_usable += streq(row->state, "usable");
                if (!m->state || words_rank(row->state) < words_rank(m->state) ||
                    (streq(row->state, m->state) && row->available_at < m->available_at)) {
                        m->state = row->state;
                        m->available_at = row->available_at;
                }
        }
        *ret = l;
        return 0;
}

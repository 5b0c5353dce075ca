/* SPDX-License-Identifier: MIT */

/* A page of Gemini's list of models, read twice into one list: a client could ask for each name in it, and
 * an invalid page leaves the list unchanged. */

#include "base/text.h"
#include "core/model.h"
#include "dialect/dialect.h"
#include "dialect/json.h"
#include "dialect/model-list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

/* The list in each form, each model once as an alias, too: valid JSON. */
static void write_forms(const GeminiList *l) {
        static const ErrorShape *const shapes[] = {
                &error_shape_openai, &error_shape_anthropic, &error_shape_google,
        };
        ListedModel *all = calloc(2 * l->n + 1, sizeof(ListedModel));

        check(all);
        for (size_t i = 0; i < l->n; i++) {
                all[2 * i] = (ListedModel){ l->all[i].name, &l->all[i], false };
                all[2 * i + 1] = (ListedModel){ "alias", &l->all[i], true };
        }
        for (size_t i = 0; i < ELEMENTSOF(shapes); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(MODEL_LIST_ANSWER_MAX);
                JWriter w = JWRITER_INIT(&b);

                model_list_form(shapes[i])->list(&w, all, 2 * l->n, l->n > 0);
                check(b.error == 0 && !json_fault(buf_data(&b), b.n));
        }
        free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        GeminiList l = {};

        for (size_t i = 0; i < 2; i++) {
                size_t before = l.n;
                Verdict v;
                int r;

                r = gemini_list_add(&l, (const char *) data, size, &v);
                check(r == 0 || r == DIALECT_E_VERDICT);
                if (r == DIALECT_E_VERDICT)
                        check(l.n == before && v.class != VERDICT_OK);
                check(l.n <= MODEL_LIST_MAX && (!l.next_page || *l.next_page));
        }
        for (size_t i = 0; i < l.n; i++) {
                ModelName name;

                const GeminiModel *m = &l.all[i];

                check(model_name_parse(m->name, strlen(m->name), &name) == 0);
                check(!name.cli && streq(name.name, m->name));
                m = gemini_list_find(&l, m->name);
                check(m && m <= &l.all[i] && streq(m->name, name.name));
                check(!m->json || (strlen(m->json) == m->n_json && !json_fault(m->json, m->n_json)));
        }
        write_forms(&l);
        gemini_list_done(&l);
        return 0;
}

/* SPDX-License-Identifier: MIT */

/* A page of Gemini's list of models, read twice into one list: a client could ask for each name in it, and
 * an invalid page leaves the list unchanged. */

#include "base/text.h"
#include "core/model.h"
#include "dialect/dialect.h"
#include "dialect/gemini/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
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

                check(model_name_parse(l.names[i], strlen(l.names[i]), &name) == 0);
                check(!name.cli && streq(name.name, l.names[i]) && gemini_list_has(&l, l.names[i]));
        }
        gemini_list_done(&l);
        return 0;
}

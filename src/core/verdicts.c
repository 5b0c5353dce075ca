/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "core/verdicts.h"

void verdicts_add(Verdicts *l, VerdictClass class) {
        if (l->n < VERDICTS_MAX)
                l->n++;
        verdicts_amend(l, class);
}

void verdicts_amend(Verdicts *l, VerdictClass class) {
        assert(l->n > 0);
        l->classes[l->n - 1] = (uint8_t) class;
}

void verdicts_set_cause(Verdicts *l, const char *cause) {
        char *copy;

        if (!cause[0])
                return;
        copy = strdup(cause);
        if (!copy)
                return;
        free(l->cause);
        l->cause = copy;
}

void verdicts_done(Verdicts *l) {
        free(l->cause);
        *l = (Verdicts){};
}

void verdicts_format(const Verdicts *l, const char *separator, char ret[static VERDICTS_TEXT_MAX]) {
        size_t n = 0;

        ret[0] = 0;
        for (size_t i = 0; i < l->n; i++) {
                n = text_append(ret, VERDICTS_TEXT_MAX, n, i > 0 ? separator : "");
                n = text_append(ret, VERDICTS_TEXT_MAX, n, verdict_rule(l->classes[i])->name);
        }
}

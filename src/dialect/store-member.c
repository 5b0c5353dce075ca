/* SPDX-License-Identifier: MIT */
#include "dialect/store-member.h"

void store_member_write(const DialectContext *c, JsonView asked, JWriter *w) {
        bool wanted = json_view_is(asked, 't');

        if (c->store == GEMINI_STORE_PROJECT ? asked.p && !wanted : asked.p || c->store_is_told)
                jwrite_bool(w, "store", wanted && c->store == GEMINI_STORE_CLIENT);
}

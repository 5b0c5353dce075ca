/* SPDX-License-Identifier: MIT */
#include "dialect/store-member.h"

void store_member_write(const DialectContext *c, struct json_object *asked, JWriter *w) {
        bool wanted = json_object_get_boolean(asked);

        if (c->store == GEMINI_STORE_PROJECT ? asked && !wanted : asked || c->store_is_told)
                jwrite_bool(w, "store", wanted && c->store == GEMINI_STORE_CLIENT);
}

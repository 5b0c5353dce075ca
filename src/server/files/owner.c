/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "server/files/named.h"
#include "server/files/owner.h"
#include "server/http.h"

bool file_owner_is_anyone(const Request *q) {
        return q->config->file_sharing || (q->token && q->token->right == TOKEN_ADMIN);
}

int file_owner_init(FileOwner *o, const Request *q) {
        *o = (FileOwner){
                .pool = q->http->p.pool,
                .now = day_clock_now(),
                .all = file_owner_is_anyone(q),
        };
        /* A job of the Gemini CLI has no token: it owns nothing. */
        return o->all || !q->token ? 0 : pool_owner(o->pool, q->token->secret, &o->owner);
}

bool file_owner_may_use(const FileOwner *o, const char *name) {
        return o->all || !pool_is_bound_by_another(o->pool, name, &o->owner, o->now);
}

/* In Google's words, so that the answer does not tell whether there is something of that name. */
int file_owner_refuse(const Request *q, const char *name, ApiError *ret_error) {
        const char *file = startswith(name, BINDING_FILES);
        char message[BINDING_NAME_MAX + 80];
        Verdict v;

        if (file)
                (void) snprintf(message, sizeof(message),
                                "You do not have permission to access the File %s or it may not exist.",
                                file);
        else if (startswith(name, BINDING_CACHES))
                text_copy(message, sizeof(message), "CachedContent not found (or permission denied)");
        else
                text_copy(message, sizeof(message), "Requested entity was not found.");
        verdict_init(&v, VERDICT_RESOURCE, 404, message);
        named_weigh(q, &v);
        api_error_from_verdict(ret_error, &v, name);
        return HANDLER_E_REFUSED;
}

int file_owner_check(const Request *q, const char *name, ApiError *ret_error) {
        FileOwner asker;
        int r = file_owner_init(&asker, q);

        if (r < 0)
                return r;
        return file_owner_may_use(&asker, name) ? 0 : file_owner_refuse(q, name, ret_error);
}

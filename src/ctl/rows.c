/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "ctl/link.h"
#include "ctl/rows.h"
#include "ctl/words.h"

#define SHOWN_WHOLE 16U
#define SHOWN_PART  4U /* as a mask does */

void rows_done(KeyRows *r) {
        free(r->rows);
        (void) sd_bus_message_unref(r->message);
        *r = (KeyRows){};
}

static int read_row(sd_bus_message *m, KeyRow *ret) {
        return sd_bus_message_read(m, "(ossssusts)", &ret->path, &ret->name, &ret->mask, &ret->project,
                                   &ret->model, &ret->errors, &ret->state, &ret->available_at,
                                   &ret->last_error);
}

static int read_rows(KeyRows *l) {
        int r;

        r = sd_bus_message_enter_container(l->message, 'a', "(ossssusts)");
        while (r > 0 || l->n == 0) {
                if (r < 0)
                        return r;
                if (l->n == l->size) {
                        size_t size = MAX(l->size * 2, 64U);
                        KeyRow *rows = reallocarray(l->rows, size, sizeof(KeyRow));

                        if (!rows)
                                return -ENOMEM;
                        l->rows = rows;
                        l->size = size;
                }
                r = read_row(l->message, l->rows + l->n);
                if (r <= 0)
                        return r;
                l->n++;
        }
        return r;
}

int rows_get(Ctl *c, KeyRows *ret) {
        _cleanup_rows_ KeyRows l = {};
        int r;

        r = link_call(c, &(LinkCall){ .member = "ListKeyHealth" }, &l.message, NULL);
        if (r != 0)
                return r;
        r = read_rows(&l);
        if (r < 0)
                return link_garbled(c, r);
        *ret = l;
        l = (KeyRows){};
        return 0;
}

bool row_is_missing(const KeyRow *row) {
        return streq(row->state, "missing");
}

bool rows_next_key(const KeyRows *r, size_t *at, RowsOfKey *ret) {
        RowsOfKey k = { .last_error = "" };
        size_t i = *at;
        unsigned rank = 0;

        if (i >= r->n)
                return false;
        k.rows = r->rows + i;
        for (; i < r->n && streq(r->rows[i].path, k.rows->path); i++) {
                const KeyRow *row = r->rows + i;
                bool is_model = !strnull(row->model);
                const char *state = row_is_missing(row) ? "usable" : row->state; /* the key's */

                /* Among states alike, the one that frees first. */
                if (!k.state || words_rank(state) < words_rank(k.state) ||
                    (streq(state, k.state) && row->available_at < k.available_at)) {
                        k.state = state;
                        k.available_at = row->available_at;
                }
                /* That of the row that is blocked most: it explains why. */
                if (!row_is_missing(row) && !strnull(row->last_error) &&
                    (!*k.last_error || words_rank(state) > rank)) {
                        k.last_error = row->last_error;
                        rank = words_rank(state);
                }
                k.n_models += is_model;
                k.n_usable += is_model && streq(row->state, "usable");
                k.n_missing += is_model && row_is_missing(row);
                k.n++;
        }
        *at = i;
        *ret = k;
        return true;
}

/* A mask is made unique by a suffix: the second key of MASK is MASK#2. MASK alone means both. */
static bool has_mask(const KeyRow *row, const char *what) {
        const char *rest = startswith(row->mask, what);

        return rest && (*rest == '\0' || *rest == '#');
}

int rows_missing(const Ctl *c, const char *what) {
        size_t n = strlen(what);
        bool whole = n <= SHOWN_WHOLE;

        return ctl_say(c, CTL_NOTHING, "there is no key %.*s%s; gemgatectl keys lists them",
                       (int) (whole ? n : text_utf8_prefix(what, SHOWN_PART)), what, whole ? "" : "…");
}

int rows_find(Ctl *c, const KeyRows *r, const char *what, RowsOfKey *ret) {
        size_t n_by_mask = 0;
        RowsOfKey k, by_mask = {};

        for (size_t at = 0; rows_next_key(r, &at, &k);) {
                _cleanup_free_ char *id = link_key_id(k.rows->path);

                if (streq_ptr(id, what) || streq(k.rows->name, what)) {
                        *ret = k;
                        return 0;
                }
                if (*what && has_mask(k.rows, what)) {
                        by_mask = k;
                        n_by_mask++;
                }
        }
        if (n_by_mask > 1)
                return ctl_say(c, CTL_FAILED, "%zu keys have the mask %s: use a name or an ID, or %s#2",
                               n_by_mask, what, what);
        if (n_by_mask == 0)
                return rows_missing(c, what);
        *ret = by_mask;
        return 0;
}

char *rows_label(const KeyRow *row) {
        char *id;

        if (!strnull(row->name))
                return strdup(row->name);
        id = link_key_id(row->path);
        return id ?: strdup(row->path);
}

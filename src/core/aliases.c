/* SPDX-License-Identifier: MIT */

/*
 * A client may send any name, so a search must not cost more than names and patterns are long. Names and
 * models are found in sorted arrays. A pattern is compared from left to right: each piece between two `*` is
 * searched for once, and its first occurrence is taken, because a later one leaves less for the pieces that
 * follow. So no piece is ever tried again.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/aliases.h"

bool alias_fits(const char *pattern, const char *name) {
        size_t n = strlen(name), k = strcspn(pattern, "*");
        const char *found;

        if (!pattern[k])
                return streq(pattern, name);
        if (n < k || memcmp(pattern, name, k) != 0)
                return false;
        for (;;) {
                name += k;
                n -= k;
                pattern += k;
                pattern += strspn(pattern, "*");
                k = strcspn(pattern, "*");
                if (!pattern[k]) /* the last piece ends the name */
                        return n >= k && memcmp(name + n - k, pattern, k) == 0;
                found = memmem(name, n, pattern, k);
                if (!found)
                        return false;
                n -= (size_t) (found - name);
                name = found;
        }
}

/* The first of by_name whose name is not less. */
static size_t place_of_name(const AliasSet *s, const char *name) {
        size_t from = 0, to = s->n_names;

        while (from < to) {
                size_t mid = (from + to) / 2;

                if (strcmp(s->names[s->by_name[mid]].name, name) < 0)
                        from = mid + 1;
                else
                        to = mid;
        }
        return from;
}

static size_t place_of_model(const AliasSet *s, const char *model) {
        size_t from = 0, to = s->n_models;

        while (from < to) {
                size_t mid = (from + to) / 2;

                if (strcmp(s->models[mid], model) < 0)
                        from = mid + 1;
                else
                        to = mid;
        }
        return from;
}

static bool is_model(const AliasSet *s, const char *name) {
        size_t i = place_of_model(s, name);

        return i < s->n_models && streq(s->models[i], name);
}

const Alias *alias_set_find_name(const AliasSet *s, const char *name) {
        size_t i = place_of_name(s, name);

        return i < s->n_names && streq(s->names[s->by_name[i]].name, name) ? &s->names[s->by_name[i]] : NULL;
}

const char *alias_set_find(const AliasSet *s, const char *name) {
        const Alias *a = alias_set_find_name(s, name);

        if (a)
                return a->model;
        if (s->n_patterns == 0 || is_model(s, name))
                return NULL;
        for (size_t i = 0; i < s->n_patterns; i++)
                if (alias_fits(s->patterns[i].name, name))
                        return s->patterns[i].model;
        return NULL;
}

/* --- filling --- */

static size_t n_literal(const char *pattern) {
        size_t n = 0;

        for (; *pattern; pattern++)
                n += *pattern != '*';
        return n;
}

static int add_name(AliasSet *s, Alias a) {
        size_t at = place_of_name(s, a.name);
        uint16_t *by_name;
        Alias *names;

        if (at < s->n_names && streq(s->names[s->by_name[at]].name, a.name))
                return -EEXIST;
        if (s->n_names >= ALIASES_MAX)
                return -E2BIG;
        names = reallocarray(s->names, s->n_names + 1, sizeof(Alias));
        if (!names)
                return -ENOMEM;
        s->names = names;
        by_name = reallocarray(s->by_name, s->n_names + 1, sizeof(uint16_t));
        if (!by_name)
                return -ENOMEM;
        s->by_name = by_name;
        memmove(by_name + at + 1, by_name + at, (s->n_names - at) * sizeof(uint16_t));
        by_name[at] = (uint16_t) s->n_names;
        names[s->n_names++] = a;
        return 0;
}

static int add_pattern(AliasSet *s, Alias a) {
        size_t at = 0;
        Alias *patterns;

        for (size_t i = 0; i < s->n_patterns; i++)
                if (streq(s->patterns[i].name, a.name))
                        return -EEXIST;
        if (s->n_patterns >= ALIAS_PATTERNS_MAX)
                return -E2BIG;
        patterns = reallocarray(s->patterns, s->n_patterns + 1, sizeof(Alias));
        if (!patterns)
                return -ENOMEM;
        s->patterns = patterns;
        while (at < s->n_patterns && n_literal(patterns[at].name) >= n_literal(a.name))
                at++;
        memmove(patterns + at + 1, patterns + at, (s->n_patterns - at) * sizeof(Alias));
        patterns[at] = a;
        s->n_patterns++;
        return 0;
}

static int add_model(AliasSet *s, const char *model) {
        size_t at = place_of_model(s, model);
        const char **models;

        if (is_model(s, model))
                return 0;
        models = reallocarray(s->models, s->n_models + 1, sizeof(char *));
        if (!models)
                return -ENOMEM;
        s->models = models;
        memmove(models + at + 1, models + at, (s->n_models - at) * sizeof(char *));
        models[at] = model;
        s->n_models++;
        return 0;
}

int alias_set_add(AliasSet *s, const char *name, const char *model) {
        Alias a = { strdup(name), strdup(model) };
        int r = -ENOMEM;

        if (a.name && a.model)
                r = strchr(name, '*') ? add_pattern(s, a) : add_name(s, a);
        if (r < 0) {
                free(a.name);
                free(a.model);
                return r;
        }
        return add_model(s, a.model);
}

static void done(Alias *all, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(all[i].name);
                free(all[i].model);
        }
        free(all);
}

void alias_set_done(AliasSet *s) {
        done(s->names, s->n_names);
        done(s->patterns, s->n_patterns);
        free(s->by_name);
        free(s->models);
        *s = (AliasSet){};
}

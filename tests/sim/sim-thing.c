/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "sim-json.h"
#include "sim-thing.h"

static const ThingKind kinds[] = {
        { "batches", false, "operations" },
        { "tunedModels", false, "tunedModels" },
        { "fileSearchStores", false, "fileSearchStores" },
        { "corpora", false, "corpora" },
        { "generatedFiles", false, "generatedFiles" },
        { "interactions", true, "interactions" },
        { "agents", true, "agents" },
        { "environments", true, "environments" },
        { "triggers", true, "triggers" },
        { "voices", true, "voices" },
        { "webhooks", true, "webhooks" },
        { "credentials", true, "credentials" },
        { "decisions", true, "decisions" },
};

void things_init(SimThings *s) {
        *s = (SimThings){};
        list_init(&s->all);
}

void thing_free(Thing *t) {
        list_unlink(&t->link);
        free(t->name);
        free(t->owner);
        json_object_put(t->json);
        free(t);
}

void things_clear(SimThings *s) {
        LIST_FOREACH(i, &s->all)
                thing_free(list_entry(i, Thing, link));
        s->n_made = 0;
}

Thing *thing_find(const SimThings *s, const char *name, const char *owner) {
        LIST_FOREACH(i, &s->all) {
                Thing *t = list_entry(i, Thing, link);

                if (streq(t->name, name) && streq(t->owner, owner))
                        return t;
        }
        return NULL;
}

const ThingKind *thing_kind(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                const char *rest = startswith(name, kinds[i].name);

                if (rest && (!*rest || *rest == '/' || *rest == ':'))
                        return &kinds[i];
        }
        return NULL;
}

Thing *thing_make(SimThings *s, const char *parent, const char *id, const char *owner, json_object *json) {
        Thing *t = calloc(1, sizeof(*t));
        const ThingKind *kind = thing_kind(parent);
        char made[32];

        if (!t)
                abort();
        (void) snprintf(made, sizeof(made), "sim%09llu", (unsigned long long) ++s->n_made);
        if (asprintf(&t->name, "%s/%s", parent, id ?: made) < 0 || !(t->owner = strdup(owner)))
                abort();
        t->json = json ?: json_object_new_object();
        if (kind && kind->by_id)
                json_add_text(t->json, "id", strrchr(t->name, '/') + 1);
        else
                json_add_text(t->json, "name", t->name);
        list_init(&t->link);
        list_append(&s->all, &t->link);
        return t;
}

void thing_delete(SimThings *s, const Thing *t) {
        _cleanup_free_ char *name = strdup(t->name);

        if (!name)
                abort();
        LIST_FOREACH(i, &s->all) {
                Thing *other = list_entry(i, Thing, link);
                const char *rest = startswith(other->name, name);

                if (rest && (!*rest || *rest == '/'))
                        thing_free(other);
        }
}

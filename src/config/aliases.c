/* SPDX-License-Identifier: MIT */

/* MODEL_ALIASES: {"ALIAS": "MODEL"} or {"ALIAS": {"model": "MODEL", "list": ["NAME", …]}}. The names of a
 * list are aliases, too: a client that has found one with GET /v1/models can ask for it, whatever fits it
 * besides. */

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "base/text.h"
#include "config/internal.h"
#include "core/model.h"

/* A name, or a pattern: a name in which `*` takes the place of characters. NULL: it is neither. */
static const char *parse_name(const char *text, size_t n, bool may_be_pattern,
                              char ret[static MODEL_NAME_MAX + 1]) {
        char plain[sizeof("models/") + MODEL_NAME_MAX];
        ModelName name;

        if (n >= sizeof(plain) || strlen(text) != n)
                return NULL;
        for (size_t i = 0; i <= n; i++)
                plain[i] = may_be_pattern && text[i] == '*' ? 'x' : text[i];
        if (model_name_parse(plain, n, &name) < 0 || name.cli)
                return NULL;
        text_copy(ret, MODEL_NAME_MAX + 1, text + n - strlen(name.name));
        return ret;
}

static int add(ConfigCheck *k, const Setting *s, const char *name, const char *model) {
        int r = alias_set_add(&k->config->aliases, name, model);

        if (r == -EEXIST)
                config_fault(k, s, name, "must be given once");
        else if (r == -E2BIG && strchr(name, '*'))
                config_fault(k, s, name, "must be at most %u patterns", ALIAS_PATTERNS_MAX);
        else if (r == -E2BIG)
                config_fault(k, s, name, "must be at most %u aliases", ALIASES_MAX);
        else
                return r;
        return 0;
}

static int add_list(ConfigCheck *k, const Setting *s, const char *alias, struct json_object *list,
                    const char *model) {
        char name[MODEL_NAME_MAX + 1];
        int r = 0;

        if (!json_object_is_type(list, json_type_array)) {
                config_fault(k, s, alias, "`list` must be an array of names without *");
                return 0;
        }
        for (size_t i = 0; r >= 0 && i < json_object_array_length(list); i++) {
                struct json_object *o = json_object_array_get_idx(list, i);

                if (!json_object_is_type(o, json_type_string) ||
                    !parse_name(json_object_get_string(o), (size_t) json_object_get_string_len(o), false,
                                name))
                        config_fault(k, s, alias, "`list` must be an array of names without *");
                else if (!streq(name, alias)) /* which is listed anyway */
                        r = add(k, s, name, model);
        }
        return r;
}

static int add_alias(ConfigCheck *k, const Setting *s, const char *alias, struct json_object *target) {
        struct json_object *model = target, *list = NULL;
        _cleanup_free_ char *to = NULL;
        char from[MODEL_NAME_MAX + 1];
        ModelName name;
        int r;

        if (!parse_name(alias, strlen(alias), true, from)) {
                config_fault(k, s, alias, "must have the form of a model's name, with * for any characters");
                return 0;
        }
        if (json_object_is_type(target, json_type_object)) {
                model = NULL;
                json_object_object_foreach(target, member, value) {
                        if (streq(member, "model"))
                                model = value;
                        else if (streq(member, "list"))
                                list = value;
                        else {
                                config_fault(k, s, alias, "must have no members but `model` and `list`");
                                return 0;
                        }
                }
        }
        if (!json_object_is_type(model, json_type_string) ||
            model_name_parse(json_object_get_string(model), (size_t) json_object_get_string_len(model),
                             &name) < 0) {
                config_fault(k, s, alias, "must be an alias of a model's name");
                return 0;
        }
        if (asprintf(&to, "%s%s", name.cli ? "cli/" : "", name.name) < 0) {
                to = NULL;
                return -ENOMEM;
        }
        r = add(k, s, from, to);
        return r >= 0 && list ? add_list(k, s, from, list, to) : r;
}

/* An alias of an alias is refused: so there are no circles, and a reader sees the model at once. */
static void check_models(ConfigCheck *k, const Setting *s, const Alias *all, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (alias_set_find_name(&k->config->aliases, all[i].model))
                        config_fault(k, s, all[i].name, "must be an alias of a model, not of the alias %s",
                                     all[i].model);
}

static int parse_aliases(ConfigCheck *k, const Setting *s, const char *value) {
        const AliasSet *set = &k->config->aliases;
        int r;

        r = config_each_member(k, s, value, add_alias);
        if (r < 0)
                return r;
        check_models(k, s, set->names, set->n_names);
        check_models(k, s, set->patterns, set->n_patterns);
        return 0;
}

const SettingType setting_aliases = { "{\"ALIAS\": \"MODEL\"} or {\"ALIAS\": {\"model\": \"MODEL\", "
                                      "\"list\": [\"NAME\", …]}}",
                                      parse_aliases };

/* SPDX-License-Identifier: MIT */

/*
 * MODEL_LIMITS: {"MODEL": {"rpm": 10, "tpm": 250000, "rpd": 250, "projects": {"NAME": {"rpm": 1000}}}}.
 *
 * Each of a project's numbers replaces the model's; null removes it, so that a project on a higher tier need
 * not name a limit that it does not have.
 */

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/internal.h"
#include "core/model.h"

static const char *const names[_CEILING_MAX] = {
        [CEILING_RPM] = "rpm",
        [CEILING_TPM] = "tpm",
        [CEILING_RPD] = "rpd",
};

static CeilingKind kind_of(const char *name) {
        CeilingKind kind = 0;

        while (kind < _CEILING_MAX && !streq(names[kind], name))
                kind++;
        return kind;
}

static bool read_number(struct json_object *o, bool may_be_none, uint64_t *ret) {
        int64_t i;

        if (!o && may_be_none) {
                *ret = CEILING_NONE;
                return true;
        }
        if (!json_object_is_type(o, json_type_int))
                return false;
        i = json_object_get_int64(o);
        if (i < 1 || (uint64_t) i > MODEL_LIMIT_MAX)
                return false;
        *ret = (uint64_t) i;
        return true;
}

static int row_new(ConfigCheck *k, const Setting *s, const char *model, const char *project,
                   CeilingRow **ret) {
        Config *c = k->config;
        CeilingRow *rows;

        if (c->n_limits >= MODEL_LIMITS_MAX) {
                config_fault(k, s, model, "must be at most %u rows", MODEL_LIMITS_MAX);
                return 0;
        }
        rows = reallocarray(c->limits, c->n_limits + 1, sizeof(CeilingRow));
        if (!rows)
                return -ENOMEM;
        c->limits = rows;
        *ret = rows + c->n_limits++;
        **ret = (CeilingRow){ .model = strdup(model), .project = project ? strdup(project) : NULL };
        return (*ret)->model && (!project || (*ret)->project) ? 1 : -ENOMEM;
}

static int read_row(ConfigCheck *k, const Setting *s, const char *model, const char *project,
                    struct json_object *o) {
        const char *shown = project ?: model;
        CeilingRow *row;
        int r;

        if (!json_object_is_type(o, json_type_object)) {
                config_fault(k, s, shown, NULL);
                return 0;
        }
        r = row_new(k, s, model, project, &row);
        if (r <= 0)
                return r;
        json_object_object_foreach(o, name, value) {
                CeilingKind kind = kind_of(name);

                if (!project && streq(name, "projects"))
                        continue;
                if (kind == _CEILING_MAX)
                        config_fault(k, s, name, "must be rpm, tpm%s",
                                     project ? " or rpd" : ", rpd or projects");
                else if (!read_number(value, project, &row->value[kind]))
                        config_fault(k, s, shown, "%s: must be a whole number from 1%s", name,
                                     project ? ", or null for no limit" : "");
        }
        return 0;
}

static int read_projects(ConfigCheck *k, const Setting *s, const char *model, struct json_object *o) {
        int r;

        if (!json_object_is_type(o, json_type_object)) {
                config_fault(k, s, model, "projects: must be {\"NAME\": {\"rpm\": N}}");
                return 0;
        }
        json_object_object_foreach(o, project, limits) {
                r = read_row(k, s, model, project, limits);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_model(ConfigCheck *k, const Setting *s, const char *given, struct json_object *o) {
        struct json_object *projects;
        ModelName model;
        int r;

        if (model_name_parse(given, strlen(given), &model) < 0 || model.cli) {
                config_fault(k, s, given, "must be a model's name");
                return 0;
        }
        r = read_row(k, s, model.name, NULL, o);
        if (r < 0)
                return r;
        if (json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, "projects", &projects))
                return read_projects(k, s, model.name, projects);
        return 0;
}

static int parse_limits(ConfigCheck *k, const Setting *s, const char *value) {
        return config_each_member(k, s, value, read_model);
}

const SettingType setting_limits = { "{\"MODEL\": {\"rpm\": N, \"tpm\": N, \"rpd\": N}}", parse_limits };

/* SPDX-License-Identifier: MIT */
#pragma once

/* The rules: which request gets which action. README.md describes the language. */

#include "base/clock.h"
#include "sim-action.h"
#include "sim-holds.h"
#include "sim-model.h"
#include "sim-signature.h"

typedef struct Script Script;
typedef struct Rule Rule;
typedef struct ScriptRequest ScriptRequest;

#define SCRIPT_MAX       (64U << 20)
#define SCRIPT_RULES_MAX 200000U /* one for each of the most keys that a pool takes, and then some */

struct ScriptRequest {
        const char *key;
        const char *model; /* "" where there is none */
        const char *verb;  /* generateContent, …, `list`, `get` */
        const char *body;
        size_t n_body;
        json_object *json; /* the body; NULL: it was not read */
        unsigned hop; /* of an answer in several: what its continuationToken names */
};

struct Rule {
        char *key; /* patterns as the shell has them; NULL matches everything */
        char *model;
        char *verb;    /* NULL: the two that generate */
        char *body;    /* the request's body holds this */
        Holds holds;
        uint64_t hop;  /* UINT64_MAX: any */
        uint64_t skip; /* matches that are let pass first */
        uint64_t left; /* matches that it takes */
        unsigned line;
        Action *action;
};

int script_new(ModelList *models, Script **ret);
Script *script_free(Script *s);
DEFINE_CLEANUP(Script *, script_free);

/* Puts the rules of this text behind those that are there. All or nothing: -EINVAL and ret_error (`line 3:
 * …`). */
int script_append(Script *s, const char *text, char **ret_error);
void script_clear(Script *s);

/* The first rule that fits and has something left; NULL: the default. Nothing is counted… */
Rule *script_match(Script *s, const ScriptRequest *q);
/* …but here: of a rule that was taken, and of those before it that let the request pass. */
void script_take(Script *s, Rule *taken, const ScriptRequest *q);

/* The project of a key: from a line `project KEY NAME`, or else the key itself. */
const char *script_project(const Script *s, const char *key);

/* From a line `signatures strict|any|off`. */
SignatureDemand script_signatures(const Script *s);

/* From a line `unmatched refuse`: a request for an answer that no rule fits is refused. */
bool script_refuses_unmatched(const Script *s);

Action *script_default(Script *s);

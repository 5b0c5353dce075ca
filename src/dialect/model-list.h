/* SPDX-License-Identifier: MIT */
#pragma once

/* The list of models, and one of them, in the form of each protocol; and the pages of such a list, as far as
 * the protocol has any. */

#include "base/json/write.h"
#include "dialect/error-shape.h"
#include "dialect/gemini/list.h"

/* An entry: a model of Gemini's, or an alias. */
typedef struct ListedModel {
        const char *id;
        const GeminiModel *model; /* Google's description of it; of an alias: of its target; NULL: none */
        bool is_alias;
} ListedModel;

/* The arguments of a page, raw; NULL: the client sends none. */
typedef struct ModelPageArguments {
        const char *limit, *after, *before;
} ModelPageArguments;

typedef struct ModelListForm {
        const ErrorShape *errors; /* of the same protocol */
        ModelPageArguments arguments; /* their names; all NULL: there are no pages */
        const char *methods[2]; /* Gemini's, by which its routes ask a model; none: all of them */
        bool lenient; /* a limit of 0 or above the largest one is that one */
        void (*list)(JWriter *w, const ListedModel *models, size_t n, bool more);
        void (*one)(JWriter *w, const ListedModel *m);
} ModelListForm;

const ModelListForm *model_list_form(const ErrorShape *errors);

/* Whether the protocol's routes can ask the model. True if Google does not say what it is for. */
bool model_list_takes(const ModelListForm *f, const GeminiModel *m);

/* Finds the page: *models and *n become those of it. 0; DIALECT_E_REFUSED. */
int model_list_page(const ModelListForm *f, const ModelPageArguments *a, const ListedModel **models,
                    size_t *n, bool *ret_more, ApiError *ret_error);

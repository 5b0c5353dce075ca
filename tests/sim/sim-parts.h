/* SPDX-License-Identifier: MIT */
#pragma once

/* An answer of parts: calls of functions, pictures, code. */

#include "sim-answer.h"

/* Adds a call to those of the action: `NAME {ARGUMENTS}`. -EINVAL, -ENOMEM */
int parts_add_call(char **parts, const char *name, const char *arguments);

/* Adds the parts of a JSON array. */
int parts_add(char **parts, const char *array);

void parts_compose(Answer *a, const Action *action, const AnswerAsk *ask);

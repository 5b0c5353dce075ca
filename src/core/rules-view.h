/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/rules.h"
#include "core/stats.h"

/* The members of a row, in the form of MODEL_RULES, for what explains which rules a model has: GET /explain
 * and D-Bus. */
void model_rules_view(const ModelRules *r, StatsSink *s);

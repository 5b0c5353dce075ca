/* SPDX-License-Identifier: MIT */
#pragma once

/* /org/gemgate1, interface org.gemgate1.Manager. */

#include "bus/bus-internal.h"

#define BUS_MANAGER_FACTS_MAX 16U
#define BUS_MODEL_MAX         (sizeof("models/cli/") + MODEL_NAME_MAX) /* the longest target of an alias */

int bus_manager_add(Bus *b, sd_bus *bus);

/* Fills in the names of the properties that differ, with a NULL at the end; returns how many. */
size_t bus_manager_compare(const BusFacts *a, const BusFacts *b,
                           char *ret[static BUS_MANAGER_FACTS_MAX + 1]);

/* GetStatistics (bus-statistics.c). */
int bus_statistics(sd_bus_message *m, void *userdata, sd_bus_error *e);

/* ExplainModel (bus-model.c), and its answer (bus-statistics.c); a negative `listed` is not known. */
int bus_explain_model(sd_bus_message *m, void *userdata, sd_bus_error *e);
int bus_model_reply(Bus *bus, sd_bus_message *call, const char *model, int listed);

/* ListKeyHealth, ExplainPick (bus-health.c). */
int bus_list_key_health(sd_bus_message *m, void *userdata, sd_bus_error *e);
int bus_explain_pick(sd_bus_message *m, void *userdata, sd_bus_error *e);

/* ListRequests (bus-requests.c). */
int bus_list_requests(sd_bus_message *m, void *userdata, sd_bus_error *e);

/* ListDays, ListClientDays (bus-days.c). */
int bus_list_days(sd_bus_message *m, void *userdata, sd_bus_error *e);
int bus_list_client_days(sd_bus_message *m, void *userdata, sd_bus_error *e);

/* Checks a model's name, removes `models/` and resolves an alias; "" stays "". On failure `e` is set. */
int bus_read_model(Bus *b, const char *what, char ret[static BUS_MODEL_MAX], sd_bus_error *e);

/* Resets, and replies as ResetHealth does: bus-reset.c. */
int bus_reset(Bus *b, sd_bus_message *m, const char *pattern, const char *model, sd_bus_error *e);

/* Replies to the calls of Reload that waited for this reload, or for an earlier one. */
void bus_manager_reloaded(Bus *b, uint64_t serial, bool ok, const char *message);

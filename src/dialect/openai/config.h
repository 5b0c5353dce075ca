/* SPDX-License-Identifier: MIT */
#pragma once

/* What follows from several fields of a chat request, and the members that are made of them. */

#include "dialect/openai/request.h"

int chat_read_stop(ChatRequest *q, JsonView v);
int chat_read_logprobs(ChatRequest *q, JsonView v);

/* After all fields are read, in this order. 0, DIALECT_E_REFUSED, -errno. */
int chat_check_numbers(ChatRequest *q);
int chat_settle_tools(ChatRequest *q);
int chat_settle_modalities(ChatRequest *q);
int chat_settle_format(ChatRequest *q);

/* "generationConfig", if there is anything in it, and its parts. */
void chat_write_config(ChatRequest *q, JWriter *w);
void chat_write_modalities(ChatRequest *q, JWriter *w);

/* The members of `google` that are copied beside it: "safetySettings" and others. */
void chat_write_google(ChatRequest *q, JWriter *w);

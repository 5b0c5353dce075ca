/* SPDX-License-Identifier: MIT */
#pragma once

/* Refusals of a client's members: a 400 that names the member, and what it must be. */

#include "base/json/cursor.h"
#include "dialect/api-error.h"

/* The kinds of JSON that a member may have. */
typedef enum JsonTypes {
        TYPE_BOOL = 1 << 0,
        TYPE_INTEGER = 1 << 1, /* 1024.0 is one: some clients write all numbers this way */
        TYPE_NUMBER = 1 << 2,
        TYPE_STRING = 1 << 3,
        TYPE_OBJECT = 1 << 4,
        TYPE_ARRAY = 1 << 5,
} JsonTypes;

bool check_is_of_type(JsonView v, JsonTypes types); /* false also for no value */

/* 0, or a refusal that names the member and what it must be. `param` is made of the format. */
int check_type(ApiError *e, JsonView v, JsonTypes types, const char *param, ...) _printf_(4, 5);
/* A refusal: `PARAM FAULT`. */
int check_refuse(ApiError *e, const char *fault, const char *param, ...) _printf_(3, 4);

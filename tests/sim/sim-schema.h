/* SPDX-License-Identifier: MIT */
#pragma once

/* Is this JSON the request that Google would take? Its own words if not. */

#include <json-c/json.h>

#include "base/buf.h"

typedef struct SchemaFaults SchemaFaults;

#define SCHEMA_FAULTS_MAX 16U

struct SchemaFaults {
        Buf message; /* one line each */
        Buf details; /* the members of `details`, as a JSON array */
        unsigned n;
};

#define _cleanup_schema_faults_ _cleanup_(schema_faults_done)
void schema_faults_done(SchemaFaults *f);

/*
 * message: the name of a message of the table. 0: nothing is wrong. 1: something is, and ret holds what.
 * Stricter than Google in two ways, because what we send should be tidy: null is refused (Google reads it as
 * "not there"), and so is a single value where a list belongs.
 */
int schema_check(const char *message, json_object *o, SchemaFaults *ret);

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * NO_PROXY, read as curl reads it: `*` alone, or entries separated by commas or blanks. A name covers itself
 * and the names below it, with or without a dot before it. An address covers itself, a CIDR its network; a
 * name never covers an address, nor an address a name.
 */

#include "base/macros.h"

/* Whether the list covers the host: a name, an IPv4 address, or an IPv6 address in brackets. */
bool no_proxy_covers(const char *list, const char *host);

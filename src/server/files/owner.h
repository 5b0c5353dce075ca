/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who may use a file, a batch or anything else that a client has made: that client, admins, and with
 * FILE_SHARING all clients. For others it does not exist. A name that gemgate does not know (pool/binding)
 * is open to all, and Google decides.
 */

#include "pool/binding.h"
#include "server/request.h"

typedef struct FileOwner {
        Pool *pool;
        usec_t now;
        bool all; /* may use everything */
        BindingOwner owner;
} FileOwner;

int file_owner_init(FileOwner *o, const Request *q); /* 0 or −errno */
bool file_owner_is_anyone(const Request *q); /* the client may use everything */
bool file_owner_may_use(const FileOwner *o, const char *name);

/* Sets the error that a client gets for a name that does not exist. HANDLER_E_REFUSED. */
int file_owner_refuse(const Request *q, const char *name, ApiError *ret_error);

/* 0 if the client may use the name. HANDLER_E_REFUSED; −errno. */
int file_owner_check(const Request *q, const char *name, ApiError *ret_error);

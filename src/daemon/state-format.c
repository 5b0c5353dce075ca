/* SPDX-License-Identifier: MIT */

#include "daemon/state-format.h"

const SqliteFormat state_format = {
        .application_id = 0x676d6774, /* "gmgt" */
        .version = 1,
};

/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log-day.h"
#include "base/text.h"

#define DATE_LENGTH 10 /* of the date in an RFC 3339 time */

void log_day_name(int64_t day, char ret[static LOG_DAY_NAME_MAX]) {
        char stamp[TIMESTAMP_STRING_MAX];

        timestamp_format((usec_t) day * USEC_PER_DAY, 0, stamp);
        (void) snprintf(ret, LOG_DAY_NAME_MAX, "gemgate-%.*s.log", DATE_LENGTH, stamp);
}

bool log_day_parse(const char *name, int64_t *ret) {
        char again[LOG_DAY_NAME_MAX];
        struct tm tm = {};
        int64_t day;

        if (sscanf(name, "gemgate-%4d-%2d-%2d.log", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3)
                return false;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        day = (int64_t) timegm(&tm) / (int64_t) (USEC_PER_DAY / USEC_PER_SEC);
        log_day_name(day, again);
        if (!streq(name, again)) /* such as a 30th of February */
                return false;
        *ret = day;
        return true;
}

/* SPDX-License-Identifier: MIT */
#include "dialect/check.h"

#include <stdarg.h>
#include <stdio.h>

#include "dialect/dialect.h"

static const struct {
        JsonTypes type;
        const char *name;
} type_names[] = {
        { TYPE_BOOL, "a boolean" },  { TYPE_INTEGER, "an integer" }, { TYPE_NUMBER, "a number" },
        { TYPE_STRING, "a string" }, { TYPE_OBJECT, "an object" },   { TYPE_ARRAY, "an array" },
};

static bool is_whole(JsonView v) {
        double d;

        if (json_view_is_digits(v))
                return true;
        return json_view_is_double(v, &d) && d > -0x1p53 && d < 0x1p53 && (double) (int64_t) d == d;
}

bool check_is_of_type(JsonView v, JsonTypes types) {
        if (!v.p)
                return false;
        switch (*v.p) {
        case '"':
                return types & TYPE_STRING;
        case '{':
                return types & TYPE_OBJECT;
        case '[':
                return types & TYPE_ARRAY;
        case 't':
        case 'f':
                return types & TYPE_BOOL;
        case 'n':
                return false;
        default:
                return types & TYPE_NUMBER || (types & TYPE_INTEGER && is_whole(v));
        }
}

static _printf_(3, 0) int refuse(ApiError *e, const char *fault, const char *param, va_list ap) {
        char name[64];

        (void) vsnprintf(name, sizeof(name), param, ap);
        return dialect_refuse(e, name, "%s %s", name, fault);
}

int check_refuse(ApiError *e, const char *fault, const char *param, ...) {
        va_list ap;
        int r;

        va_start(ap, param);
        r = refuse(e, fault, param, ap);
        va_end(ap);
        return r;
}

int check_type(ApiError *e, JsonView v, JsonTypes types, const char *param, ...) {
        char fault[80] = "must be ";
        size_t n = strlen(fault), first = n;
        va_list ap;
        int r;

        if (check_is_of_type(v, types))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(type_names); i++)
                if (types & type_names[i].type)
                        n += (size_t) snprintf(fault + n, sizeof(fault) - n, "%s%s",
                                               n > first ? " or " : "", type_names[i].name);
        va_start(ap, param);
        r = refuse(e, fault, param, ap);
        va_end(ap);
        return r;
}

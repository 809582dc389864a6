#include "base/num.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

int num_int(const char *s, int64_t min, int64_t max, int64_t *out, Err *e)
{
    char *end = NULL;
    errno = 0;
    long long v = isspace((unsigned char)*s) ? 0 : strtoll(s, &end, 10);
    if (!end || end == s || *end)
        return err_set(e, "'%s' is not a whole number", s);
    if (errno || v < min || v > max) {
        if (max == INT64_MAX)
            return err_set(e, "%s is too small: at least %" PRId64, s, min);
        return err_set(e, "%s is out of range: %" PRId64 " to %" PRId64, s, min, max);
    }
    *out = v;
    return 0;
}

int num_real(const char *s, double min, double max, double *out, Err *e)
{
    char *end = NULL;
    errno = 0;
    for (const char *p = s; *p; p++)
        if (!isdigit((unsigned char)*p) &&
            !(*p && (*p == '.' || *p == '-' || *p == '+' || *p == 'e' || *p == 'E')))
            return err_set(e, "'%s' is not a number", s);
    double v = strtod(s, &end);
    if (end == s || *end)
        return err_set(e, "'%s' is not a number", s);
    if (errno == ERANGE || v < min || v > max)
        return err_set(e, "%s is out of range: %g to %g", s, min, max);
    *out = v;
    return 0;
}
